"""Every number that the tables of a file declare."""

from qtn.problem.table import number_of, tables_in


def declared_numbers(table, prefix=""):
    """Yield (dotted name without positions, table, key, declaration) of every number below a class of tables."""
    for key, field in table.model_fields.items():
        number = number_of(table, key)
        if number is not None:
            yield f"{prefix}{key}", table, key, number
        named = "a_name." if "dict[str" in str(field.annotation) else ""  # such as that of a node of a network
        for inner in tables_in(field.annotation):
            yield from declared_numbers(inner, f"{prefix}{key}.{named}")
    for inner in table.named:
        yield from declared_numbers(inner, prefix)
