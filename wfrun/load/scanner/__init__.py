"""YAML 1.2 text as a flat stream of events.

Why not a library: measured on 100 lines, the parser of ruamel.yaml takes 17 ms after an import of 35-50 ms, which is a
third of what a whole `run` may take, and 6 s for 5,000 steps; the C parsers crash on deep nesting. This one takes a
quarter of that, imports nothing, is linear, and knows our users' traps. It reads what can become JSON: block and flow
collections, the five kinds of scalars, comments, anchors and aliases. Refused, with the reason: tags, directives,
several documents, keys that are no text. The tests hold it against ruamel.yaml.

    cursor   where we are, and errors with a position
    quoted   'single' and "double" quoted text
    folded   plain text over several lines, and the block scalars | and >
    flow     [ ... ] and { ... }
    block    indentation: the outside of everything
"""
