"""Policy: which files a tenant may send, judged by name and size alone, the same at the customer's and at ours."""

from __future__ import annotations

from dataclasses import dataclass

from mysimbdp.errors import Code, Problem
from mysimbdp.formats.names import format_of
from mysimbdp.landing.names import name_problem, safe_label
from mysimbdp.tenants.model import Constraints, Tenant
from mysimbdp.tenants.routing import route


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant has stored, or is about to: number of files, bytes."""

    files: int = 0
    bytes: int = 0

    def plus(self, size: int) -> Usage:
        """Return the usage with one more file of `size` bytes."""
        return Usage(self.files + 1, self.bytes + size)


def check_before_copy(tenant: Tenant, name: str, size: int, usage: Usage) -> Problem | None:
    """Return why the tenant may not store this file of `size` bytes on top of `usage`, or None when it may.

    The first reason found is returned; what the customer can mend by itself comes before the quotas. The
    platform reserves quotas for good in the ledger: `usage` there may be left at nothing.
    """
    return (
        name_problem(name)
        or _format_problem(tenant, name)
        or _size_problem(tenant.constraints, name, size)
        or _quota_problem(tenant.constraints, name, size, usage)
    )


def _format_problem(tenant: Tenant, name: str) -> Problem | None:
    allowed = tenant.constraints.allowed_file_format
    found = format_of(name)
    if found not in allowed:
        is_what = f"{found} is not" if found else "its extension is not"
        what = f"{is_what} among the formats allowed ({', '.join(allowed)})"
        return Problem(Code.FORMAT_NOT_ALLOWED, what, safe_label(name))
    if route(tenant, name) is None:
        return Problem(Code.NO_TABLE_FOR_FILE, "its name fits none of the tenant's routes", safe_label(name))
    return None


def _size_problem(limits: Constraints, name: str, size: int) -> Problem | None:
    if size == 0:
        return Problem(Code.FILE_EMPTY, "it has no bytes", safe_label(name))
    if size > limits.max_bytes_per_file:
        what = f"{size:,} bytes are more than the {limits.max_bytes_per_file:,} a file may have"
        return Problem(Code.FILE_TOO_LARGE, what, safe_label(name))
    return None


def _quota_problem(limits: Constraints, name: str, size: int, usage: Usage) -> Problem | None:
    if usage.files + 1 > limits.max_nb_files:
        what = f"{usage.files:,} of max_nb_files {limits.max_nb_files:,} files are stored already"
        return Problem(Code.QUOTA_FILES, what, safe_label(name))
    if usage.bytes + size > limits.max_stored_bytes:
        what = (
            f"{usage.bytes:,} of the {limits.max_stored_bytes:,} bytes of max_file_size are stored, "
            f"{size:,} more do not fit"
        )
        return Problem(Code.QUOTA_BYTES, what, safe_label(name))
    return None
