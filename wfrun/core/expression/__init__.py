"""The expression language: JSONPath terms, comparison, arithmetic and a fixed set of functions. docs/expressions.md.

Total and bounded: no expression loops, reaches the machine, or costs more than its budget of steps. Everything is
parsed before a run; evaluation asks only its context (the data) and its host (the present, ids, variables).
"""

from wfrun.core.expression.export import render
from wfrun.core.expression.expression import Expression, parse
from wfrun.core.expression.kinds import MISSING, Context, DictContext, Host, Missing
from wfrun.core.expression.reference import Comparison, Reference, Variable
from wfrun.core.expression.template import Template, TemplateError, compile_template, defer_template
from wfrun.core.expression.times import parse_duration, to_instant

__all__ = [
    "MISSING",
    "Comparison",
    "Context",
    "DictContext",
    "Expression",
    "Host",
    "Missing",
    "Reference",
    "Template",
    "TemplateError",
    "Variable",
    "compile_template",
    "defer_template",
    "parse",
    "parse_duration",
    "render",
    "to_instant",
]
