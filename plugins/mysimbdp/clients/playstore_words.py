"""What the generated Play Store rows are made of."""

from __future__ import annotations

FIELDS = (
    "App", "Category", "Rating", "Reviews", "Size", "Installs", "Type", "Price", "Content Rating", "Genres",
    "Last Updated", "Current Ver", "Android Ver",
)  # fmt: skip

_CATEGORY_GENRES = {
    "ART_AND_DESIGN": "Art & Design", "AUTO_AND_VEHICLES": "Auto & Vehicles", "BEAUTY": "Beauty",
    "BOOKS_AND_REFERENCE": "Books & Reference", "BUSINESS": "Business", "COMICS": "Comics",
    "COMMUNICATION": "Communication", "DATING": "Dating", "EDUCATION": "Education", "ENTERTAINMENT": "Entertainment",
    "EVENTS": "Events", "FAMILY": "Casual;Pretend Play", "FINANCE": "Finance", "FOOD_AND_DRINK": "Food & Drink",
    "GAME": "Arcade;Action & Adventure", "HEALTH_AND_FITNESS": "Health & Fitness", "HOUSE_AND_HOME": "House & Home",
    "LIBRARIES_AND_DEMO": "Libraries & Demo", "LIFESTYLE": "Lifestyle", "MAPS_AND_NAVIGATION": "Maps & Navigation",
    "MEDICAL": "Medical", "NEWS_AND_MAGAZINES": "News & Magazines", "PARENTING": "Parenting;Music & Video",
    "PERSONALIZATION": "Personalization", "PHOTOGRAPHY": "Photography", "PRODUCTIVITY": "Productivity",
    "SHOPPING": "Shopping", "SOCIAL": "Social", "SPORTS": "Sports", "TOOLS": "Tools",
    "TRAVEL_AND_LOCAL": "Travel & Local", "VIDEO_PLAYERS": "Video Players & Editors", "WEATHER": "Weather",
}  # fmt: skip
CATEGORIES = tuple(_CATEGORY_GENRES.items())
GENRES = tuple(_CATEGORY_GENRES.values())
"""Of the category at the same place."""

FIRST_WORDS = (
    "Photo", "Super", "Daily", "Smart", "Tiny", "Happy", "Pocket", "Retro", "Night", "Instant", "My", "Pro", "Élan",
    "Ünder", "東京", "Zen", "Pixel", "Turbo", "Magic", "Little", "Sunny", "Deep", "Open", "Fast", "Green", "Blue",
    "Mega", "Quick", "World", "Home", "Fish &", 'The "Best"', "Hello,",
)  # fmt: skip
SECOND_WORDS = (
    "Editor", "Notes", "Runner", "Weather", "Calendar", "Camera", "Quest", "Puzzle", "Radio", "Recipes", "Maps",
    "Workout", "Wallet", "Reader", "Chess", "Piano", "Chat", "Scanner", "Planner", "Garden", "Racing", "Studio",
    "Translator", "Keyboard", "Launcher", "Player", "Tracker", "Words", "Café", "Cards", "Diary", "Clock",
)  # fmt: skip
INSTALLS = (
    "0+", "1+", "5+", "10+", "50+", "100+", "500+", "1,000+", "5,000+", "10,000+", "50,000+", "100,000+", "500,000+",
    "1,000,000+", "5,000,000+", "10,000,000+", "50,000,000+", "100,000,000+", "500,000,000+", "1,000,000,000+",
)  # fmt: skip
CONTENT_RATINGS = ("Everyone", "Everyone", "Everyone", "Teen", "Everyone 10+", "Mature 17+")
ANDROID = (
    "1.6 and up", "2.1 and up", "2.3 and up", "2.3.3 and up", "3.0 and up", "4.0 and up", "4.0.3 and up", "4.1 and up",
    "4.2 and up", "4.3 and up", "4.4 and up", "5.0 and up", "6.0 and up", "7.0 and up", "Varies with device",
)  # fmt: skip
