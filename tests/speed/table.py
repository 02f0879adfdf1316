"""The records of a run as a table for people."""

COLUMNS = ("case", "seconds", "limit", "ratio", "supervisor", "against")


def text_of(records):
    rows = [COLUMNS] + [_row(record) for record in records]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def _row(record):
    share = record.get("supervisor_cpu_share")
    return (record["case"], _seconds(record["seconds"]), _seconds(record["limit_seconds"]),
            f"{record['ratio_to_limit']:.2f}", "" if share is None else f"{100 * share:.2f} %", _peers(record))


def _peers(record):
    return ", ".join(f"{name} {_seconds(seconds)} ({record['speedups'][name]:.3g}x)"
                     for name, seconds in record["peers"].items())


def _seconds(value):
    return f"{value * 1e6:.0f} us" if value < 0.001 else f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"
