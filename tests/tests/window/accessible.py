"""Prints the accessibility tree of the only application on the bus, or with the argument "listen" what it announces.

Each line of the tree has a role, the states, a name, and the text of a text field: caret, start and end of the selection, text.
Each line of the announcements has a politeness (1: polite, 2: assertive) and a text."""

import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

bus = Gio.bus_get_sync(Gio.BusType.SESSION)
value = GLib.Variant("(ssv)", ("org.a11y.Status", "IsEnabled", GLib.Variant("b", True)))
bus.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties", "Set", value, None, 0, 5000)


def application():
    for _ in range(100):
        desktop = Atspi.get_desktop(0)
        for index in range(desktop.get_child_count()):
            found = desktop.get_child_at_index(index)
            if found is not None and found.get_child_count():
                return found
        time.sleep(0.1)
    raise SystemExit("no application is on the accessibility bus")


def typed(node):
    text = node.get_text_iface()
    if text is None or "Text" not in node.get_interfaces():
        return "-"
    selection = Atspi.Text.get_selection(text, 0) if Atspi.Text.get_n_selections(text) else None
    start, end = (selection.start_offset, selection.end_offset) if selection else (0, 0)
    content = Atspi.Text.get_text(text, 0, Atspi.Text.get_character_count(text))
    return f"{Atspi.Text.get_caret_offset(text)} {start} {end} {content}"


def show(node):
    states = " ".join(state.value_nick for state in node.get_state_set().get_states())
    print(node.get_role_name(), states, node.get_name().replace("\n", " "), typed(node), sep="\t")
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child is not None:
            show(child)


def listen():
    def announced(event):
        print(event.detail1, event.any_data, sep="\t", flush=True)

    listener = Atspi.EventListener.new(announced)
    listener.register("object:announcement")
    application()
    print("listening", flush=True)
    Atspi.event_main()


listen() if "listen" in sys.argv else show(application())
