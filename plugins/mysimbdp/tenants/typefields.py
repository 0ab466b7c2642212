"""How types look to pydantic: texts in the tenant file, types in the model, and errors at the exact place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from mysimbdp.tenants.cqltypes import SCALARS, CqlType, TypeFault
from mysimbdp.tenants.typegrammar import parse_column_type, parse_type
from mysimbdp.tenants.usertypes import Misfit


def _column(value: object) -> CqlType:
    return parse_column_type(_text(value))


def _field(value: object) -> CqlType:
    return parse_type(_text(value), covered=True)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeFault("a type is a word or a text such as int, list<text> or frozen<address>")
    return value


_NESTED = "^ *(list|set|map|tuple|vector|frozen) *<.+> *$"
_SCHEMA = WithJsonSchema({"anyOf": [{"enum": list(SCALARS)}, {"type": "string", "pattern": _NESTED}]})
ColumnType = Annotated[CqlType, PlainValidator(_column), _SCHEMA]
FieldType = Annotated[CqlType, PlainValidator(_field), _SCHEMA]


def refuse(misfits: Iterable[Misfit]) -> None:
    """Raise pydantic's error with the place of each misfit, if there are any; for use in a field's validator."""
    faults = [
        InitErrorDetails(
            type=PydanticCustomError("type_misfit", "{what}", {"what": misfit.what}),
            loc=misfit.place,
            input=misfit.value,
        )
        for misfit in misfits
    ]
    if faults:
        raise ValidationError.from_exception_data("Tenant", faults)
