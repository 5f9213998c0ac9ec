from wfrun.cli.declare import AsJson, Home

EXAMPLE = "wfrun reindex"


def command(home: Home = None, as_json: AsJson = False) -> int:
    """Build the index anew from the journals. It is only a cache: nothing is lost with it."""
    from wfrun.app import reading
    from wfrun.cli.invoke import print_json
    from wfrun.views.words import count_words

    count = reading.reindex(reading.open_home(home))
    if as_json:
        print_json({"executions": count})
    else:
        print(f"Indexed {count_words(count, 'execution')}.")
    return 0
