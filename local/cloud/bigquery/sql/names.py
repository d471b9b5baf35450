"""Which stored tables a query's names mean: qualification, views, INFORMATION_SCHEMA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from local.cloud.bigquery import datasets, information_schema, tables
from local.cloud.bigquery.errors import invalid_query, not_found
from local.cloud.bigquery.names import DatasetRef, TableRef
from local.cloud.bigquery.store import Store
from local.cloud.http import unsupported

_INFORMATION_SCHEMA = "INFORMATION_SCHEMA."
_PSEUDO_COLUMNS = {"_partitiontime", "_partitiondate", "_table_suffix", "_file_name"}
_DEEPEST_VIEW = 16


@dataclass(frozen=True)
class Context:
    """Where a query runs: its project, location and default dataset."""

    project: str
    location: str
    default_dataset: DatasetRef | None = None


@dataclass
class Resolver:
    """Replaces table names in a syntax tree by stored tables, and notes which were used.

    `expand` turns the text of a view into a checked syntax tree.
    """

    store: Store
    context: Context
    expand: Callable[[str], exp.Expr]
    referenced: dict[TableRef, None] = field(default_factory=dict)
    prelude: list[str] = field(default_factory=list)

    def resolve(self, tree: exp.Expr, depth: int = 0) -> None:
        """Works in place. Raises ApiError 404 for an unknown table, 501 for unsupported names."""
        for column in tree.find_all(exp.Column):
            if column.name.lower() in _PSEUDO_COLUMNS:
                raise unsupported(f"the pseudo column {column.name}")
        written = _written(tree)
        for node in list(tree.find_all(exp.Table)):
            if not isinstance(node.this, exp.Identifier) or _is_cte(node):
                continue
            self._replace(node, depth, written=node is written)

    def ref(self, node: exp.Table) -> TableRef:
        """The table a name means. Raises ApiError 400 when no dataset is known for it."""
        name, dataset, project = node.name, node.db, node.catalog
        if "*" in name:
            raise unsupported(f"wildcard tables ({name})")
        if "$" in name:
            raise unsupported(f"partition decorators in queries ({name})")
        if not dataset:
            default = self.context.default_dataset
            if default is None:
                raise invalid_query(
                    f'Table "{name}" must be qualified with a dataset (e.g. dataset.table).'
                )
            return default.table(name)
        return TableRef(project or self.context.project, dataset, name)

    def _replace(self, node: exp.Table, depth: int, *, written: bool) -> None:
        for arg, feature in (("version", "FOR SYSTEM_TIME AS OF"), ("sample", "TABLESAMPLE")):
            if node.args.get(arg) or (node.find(exp.TableSample) and arg == "sample"):
                raise unsupported(feature)
        if node.args.get("pivots"):
            raise unsupported("PIVOT and UNPIVOT")
        if node.name.upper().startswith(_INFORMATION_SCHEMA):
            self._use_information_schema(node)
            return
        ref = self.ref(node)
        resource = tables.get(self.store, ref)
        if resource["location"] != self.context.location:
            raise not_found(
                "Dataset", f"{ref.in_dataset} was not found in location {self.context.location}"
            )
        self.referenced[ref] = None
        alias = node.alias or ref.table
        if resource["type"] == "VIEW":
            if depth >= _DEEPEST_VIEW:
                raise invalid_query(f"View nesting is too deep at {ref}")
            view = self.expand(resource["view"]["query"])
            self.resolve(view, depth + 1)
            _replace_by(node, view, alias)
            return
        if written:
            _point_to(node, ref.table, ref.in_dataset.schema_name, alias)
            return
        if not resource["schema"]["fields"]:
            raise invalid_query(f"Table {ref} does not have a schema.")
        # Columns are named, since a stored table has one more than clients may see.
        columns = [exp.column(_quoted(field["name"])) for field in resource["schema"]["fields"]]
        stored = exp.Table(this=_quoted(ref.table), db=_quoted(ref.in_dataset.schema_name))
        _replace_by(node, exp.select(*columns).from_(stored), alias)

    def _use_information_schema(self, node: exp.Table) -> None:
        view = node.name[len(_INFORMATION_SCHEMA) :].upper()
        project = node.catalog or self.context.project
        if node.db.lower().startswith("region-"):
            raise unsupported("region-wide INFORMATION_SCHEMA")
        default = self.context.default_dataset
        if not node.db and default is None:
            raise unsupported("project-wide INFORMATION_SCHEMA")
        dataset = DatasetRef(project, node.db) if node.db else default
        assert dataset is not None
        datasets.get(self.store, dataset)
        name = f"information_schema_{len(self.prelude)}"
        sql = information_schema.select(self.store, dataset, view)
        self.prelude.append(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")
        _point_to(node, name, "", node.alias or view)


def _written(tree: exp.Expr) -> exp.Expr | None:
    """The table that DML changes."""
    if not isinstance(tree, exp.DML):
        return None
    return tree.this.this if isinstance(tree.this, exp.Schema) else tree.this


def _is_cte(node: exp.Table) -> bool:
    """Whether an enclosing WITH defines the name."""
    if node.db:
        return False
    scope: exp.Expr | None = node
    while scope is not None:
        with_ = scope.args.get("with_")
        if with_ and any(c.alias.lower() == node.name.lower() for c in with_.expressions):
            return True
        scope = scope.parent
    return False


def _replace_by(node: exp.Table, query: exp.Expr, alias: str) -> None:
    name = exp.TableAlias(this=_quoted(alias))
    node.replace(exp.Subquery(this=query, alias=name, joins=node.args.get("joins")))


def _point_to(node: exp.Table, name: str, schema: str, alias: str) -> None:
    node.set("catalog", None)
    node.set("db", _quoted(schema) if schema else None)
    node.set("this", _quoted(name))
    if not node.alias and not isinstance(node.parent, exp.Insert | exp.Schema):
        node.set("alias", exp.TableAlias(this=_quoted(alias)))


def _quoted(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)
