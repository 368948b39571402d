"""What commands print for people: all of what was sent by others, and nothing of it as an instruction."""

import pytest

from deploy.printing import line, table, told

SENT = "order.[/red].v1 [bold] :warning: \x1b[31m\n次"
SHOWN = "order.[/red].v1 [bold] :warning: \\x1b[31m\\n次"


@pytest.mark.parametrize(
    "printed",
    [
        lambda: table([{"detail": SENT}], as_json=False, empty=""),
        lambda: told({"detail": SENT}, as_json=False),
        lambda: line({"message": 1, "verdict": "refused", "detail": SENT}, as_json=False),
    ],
    ids=["table", "told", "line"],
)
def test_words_of_a_message_are_shown_whole_and_drive_neither_table_nor_terminal(printed, capsys):
    printed()
    assert SHOWN in capsys.readouterr().out
