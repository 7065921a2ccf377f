"""Options that several commands share, as one parameter: a dataclass whose fields are the options.

.. code-block:: python

    @flat
    def leave(operation: str, *, way: Way) -> None: ...

takes every field of ``Way`` as an option of its own, and is called with a ``Way``.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints


def flat(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose parameters that are dataclasses are options, field by field."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {
        name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)
    }
    parameters = []
    for parameter in inspect.signature(command).parameters.values():
        group = groups.get(parameter.name)
        if group is None:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))
        else:
            parameters += _options(group)

    def run(**values: Any) -> None:  # noqa: ANN401 - whatever the options hold
        for name, group in groups.items():
            members = {field.name: values.pop(field.name) for field in dataclasses.fields(group)}
            values[name] = group(**members)
        command(**values)

    run.__name__, run.__qualname__ = command.__name__, command.__qualname__
    run.__module__, run.__doc__ = command.__module__, command.__doc__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _options(group: Any) -> list[inspect.Parameter]:  # noqa: ANN401 - a dataclass
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty
            if field.default is dataclasses.MISSING
            else field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(group)
    ]
