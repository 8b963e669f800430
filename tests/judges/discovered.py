"""Answers against the schemas of the discovery document that Google's client brings."""

TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}


def problems(schemas, name, value, path=""):
    """Where an answer is not what the schema of that name says, as texts."""
    return list(of_schema(schemas, {"$ref": name}, value, path or name))


def of_schema(schemas, schema, value, path):
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = schema.get("type", "any")
    is_number = isinstance(value, bool) and kind in ("integer", "number")
    if kind != "any" and (not isinstance(value, TYPES[kind]) or is_number):
        yield f"{path} is no {kind}: {value!r}"
    elif kind == "array":
        for number, item in enumerate(value):
            yield from of_schema(schemas, schema["items"], item, f"{path}[{number}]")
    elif kind == "object":
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            if (below := known.get(name, more)) is None:
                yield f"{path} has no {name}"
            else:
                yield from of_schema(schemas, below, item, f"{path}.{name}")
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is none of {schema['enum']}: {value!r}"
