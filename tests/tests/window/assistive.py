"""A client of AT-SPI, as a screen reader is. Each line of standard input is a command in JSON, and is answered by one line of
JSON:

{"do": "tree"}: the nodes of the only application on the bus, each after its parent. Those of text fields have a text.
{"do": "press", "node": N}: performs the first action of node N of the last tree.
{"do": "focus", "node": N}: moves the focus to it.
{"do": "said"}: what was announced since the last such command, each with a politeness (1: polite, 2: assertive).
"""

import json
import os

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

last = []
said = []


def enable():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    value = GLib.Variant("(ssv)", ("org.a11y.Status", "IsEnabled", GLib.Variant("b", True)))
    bus.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.freedesktop.DBus.Properties", "Set", value, None, 0, 5000)


def application():
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        found = desktop.get_child_at_index(index)
        if found is not None and found.get_child_count():
            return found
    return None


def text_of(node):
    try:
        text = node.get_text_iface()
        if not text:
            return None
        selection = Atspi.Text.get_selection(text, 0) if Atspi.Text.get_n_selections(text) else None
        return {
            "content": Atspi.Text.get_text(text, 0, Atspi.Text.get_character_count(text)),
            "caret": Atspi.Text.get_caret_offset(text),
            "selection": [selection.start_offset, selection.end_offset] if selection else None,
        }
    except GLib.Error:
        return None


def describe(node, parent):
    box = None
    component = node.get_component_iface()
    if component:
        extents = component.get_extents(Atspi.CoordType.WINDOW)
        box = [extents.x, extents.y, extents.width, extents.height]
    return {
        "role": node.get_role_name(),
        "name": node.get_name() or "",
        "description": node.get_description() or "",
        "states": [state.value_nick for state in node.get_state_set().get_states()],
        "text": text_of(node),
        "box": box,
        "parent": parent,
    }


def walk(node, parent, into):
    # The application does not answer for a node that has just gone.
    try:
        found = describe(node, parent)
        count = node.get_child_count()
    except GLib.Error:
        return
    into.append(found)
    last.append(node)
    here = len(into) - 1
    for index in range(count):
        try:
            child = node.get_child_at_index(index)
        except GLib.Error:
            continue
        if child is not None:
            walk(child, here, into)


def tree():
    last.clear()
    nodes = []
    found = application()
    if found is not None:
        # Without a cache, because the window changes while it is read.
        found.set_cache_mask(Atspi.Cache.NONE)
        walk(found, None, nodes)
    return {"nodes": nodes}


def answer(command):
    node = last[command["node"]] if "node" in command else None
    try:
        match command["do"]:
            case "tree":
                return tree()
            case "press":
                return {"done": bool(node.get_action_iface().do_action(0))}
            case "focus":
                return {"done": bool(node.get_component_iface().grab_focus())}
            case "said":
                words = list(said)
                said.clear()
                return {"said": words}
    except (GLib.Error, AttributeError) as error:
        return {"done": False, "error": str(error)}


def announced(event):
    said.append({"politeness": event.detail1, "text": str(event.any_data)})


buffer = b""


def read(source, condition):
    global buffer
    received = os.read(0, 65536)
    if not received:
        loop.quit()
        return False
    buffer += received
    while b"\n" in buffer:
        line, buffer = buffer.split(b"\n", 1)
        print(json.dumps(answer(json.loads(line))), flush=True)
    return True


enable()
listener = Atspi.EventListener.new(announced)
listener.register("object:announcement")
loop = GLib.MainLoop()
GLib.io_add_watch(GLib.IOChannel(0), GLib.IO_IN | GLib.IO_HUP, read)
loop.run()
