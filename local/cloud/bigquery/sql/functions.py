"""Which functions are answered for. Any other is refused by name, never passed on in hope."""

from __future__ import annotations

import re

from sqlglot import exp

from local.cloud.http import unsupported

# sqlglot's names of the functions whose answers tests hold against BigQuery's documentation.
_NAMES = """
Abs And AnyValue ApproxDistinct ApproxQuantiles Array ArrayAgg ArrayConcat ArrayReverse
ArraySize ArrayToString Ascii Avg ByteLength Case Cast Ceil Chr Coalesce Concat Corr Count
CountIf CurrentDate CurrentTimestamp Date DateAdd DateDiff DateFromParts DateSub DateTrunc
DatetimeAdd DatetimeDiff DatetimeSub DatetimeTrunc DenseRank EndsWith Exists Exp Extract
FirstValue Floor FromBase64 GenerateDateArray GenerateSeries Greatest GroupConcat If Initcap
IsInf IsNan JSONFormat Lag LastDay LastValue Lead Least Left Length Ln Log LogicalAnd LogicalOr
Lower LowerHex MD5 MD5Digest Max Min Nullif Ntile Or Pad ParseDatetime Pow Rank RegexpExtract
RegexpLike RegexpReplace Repeat Replace Reverse Right Round RowNumber SHA2Digest SafeDivide Sign
Split Sqrt StartsWith Stddev StddevPop StrPosition StrToDate StrToTime Struct Substring Sum
TimeToStr Timestamp TimestampAdd TimestampDiff TimestampFromParts TimestampSub TimestampTrunc
ToBase64 Trim Trunc TryCast TsOrDsToDate TsOrDsToDatetime TsOrDsToTimestamp Unhex UnixDate
UnixMicros UnixMillis UnixSeconds UnixToTime Unnest Upper Uuid Variance VariancePop WeekStart
Xor
"""
SUPPORTED = frozenset(_NAMES.split())
_FORMATS = (exp.TimeToStr, exp.StrToTime, exp.StrToDate, exp.ParseDatetime)
_FORMAT_ELEMENTS = set("YmdHMSFTjybBaAp%ITf")
_TYPES = {
    exp.DType.ARRAY, exp.DType.BIGINT, exp.DType.BINARY, exp.DType.BOOLEAN, exp.DType.DATE,
    exp.DType.DATETIME, exp.DType.DECIMAL, exp.DType.DOUBLE, exp.DType.INT, exp.DType.STRUCT,
    exp.DType.TEXT, exp.DType.TIME, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ,
    exp.DType.VARBINARY, exp.DType.VARCHAR,
}  # fmt: skip
_REFUSED = {
    exp.TableSample: "TABLESAMPLE",
    exp.Pivot: "PIVOT and UNPIVOT",
    exp.Lateral: "LATERAL",
    exp.RangeN: "RANGE partitions",
}


def check_functions(tree: exp.Expr) -> None:
    """Raises ApiError 501 for the first function or clause that is not supported."""
    for node in tree.walk():
        if isinstance(node, exp.Func) and type(node).__name__ not in SUPPORTED:
            raise unsupported(f"the function {_name(node)}")
        if isinstance(node, _FORMATS):
            _check_format(node)
        for kind, feature in _REFUSED.items():
            if isinstance(node, kind):
                raise unsupported(feature)
        if isinstance(node, exp.DataType) and node.this not in _TYPES:
            raise unsupported(f"the type {node.sql('bigquery')}")
        if isinstance(node, exp.Unnest) and node.args.get("offset"):
            raise unsupported("UNNEST WITH OFFSET")
        if isinstance(node, exp.Select) and node.args.get("kind"):
            raise unsupported(f"SELECT AS {node.args['kind']}")


def _name(node: exp.Func) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.name).upper()
    return node.sql("bigquery").split("(")[0].split("\n")[0][:80]


def _check_format(node: exp.Expr) -> None:
    """Only format elements that mean the same on both sides."""
    format_ = node.args.get("format")
    if node.args.get("zone"):
        raise unsupported("time zones in FORMAT_ and PARSE_ functions")
    if not isinstance(format_, exp.Literal):
        raise unsupported("computed formats of FORMAT_ and PARSE_ functions")
    for element in re.findall(r"%(.?)", format_.name.replace("%%", "")):
        if element not in _FORMAT_ELEMENTS:
            raise unsupported(f"the format element %{element}")
