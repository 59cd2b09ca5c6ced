//! A control that can be pressed: a button, a switch, an item of a list or a menu. It is pressed by pointer, touch or an
//! assistive tool, and by Enter or Space if the keyboard gave it the focus. After a click, keys do not press it: the space
//! bar then talks.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events and keys, this file handles a few")]

use accesskit::{Action, HasPopup, Role, Toggled};
use iced::advanced::widget::operation::Focusable;
use iced::advanced::widget::{Id, Operation, Tree, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, overlay, renderer};
use iced::animation::{Animation, Easing};
use iced::keyboard::{self, key::Named};
use iced::time::Instant;
use iced::{Background, Border, Color, Event, Length, Padding, Rectangle, Renderer, Size, Vector, touch, window};

use crate::kit::Element;
use crate::kit::a11y::Semantics;
use crate::kit::forward::forward;
use crate::theme::{APPEAR, Look, RADIUS_CONTROL, RING, SPACE_M, SPACE_XS, Status, TARGET, Theme};

/// A control that can be pressed.
#[expect(clippy::struct_field_names, reason = "`on_press` is what iced calls it")]
pub struct Press<'a, Message> {
    content: Element<'a, Message>,
    id: Option<Id>,
    role: Role,
    label: String,
    description: Option<String>,
    /// The keys that press it, for assistive tools.
    shortcut: Option<String>,
    toggled: Option<bool>,
    expanded: Option<bool>,
    popup: Option<HasPopup>,
    look: Look,
    width: Length,
    height: f32,
    padding: Padding,
    on_press: Option<Message>,
}

/// Creates a control. `label` is its accessible name: the action that a press causes. If it is empty, the text inside is
/// the name. Without a message the control is disabled.
pub fn press<'a, Message>(
    content: impl Into<Element<'a, Message>>,
    label: &str,
    on_press: Option<Message>,
) -> Press<'a, Message> {
    Press {
        content: content.into(),
        id: None,
        role: Role::Button,
        label: label.to_owned(),
        description: None,
        shortcut: None,
        toggled: None,
        expanded: None,
        popup: None,
        look: Look::Plain,
        width: Length::Shrink,
        height: TARGET,
        padding: Padding::from([SPACE_XS, SPACE_M]),
        on_press,
    }
}

impl<Message> Press<'_, Message> {
    /// Sets the id, for tests, assistive tools and menus. It must stay the same while the window is open.
    #[must_use]
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the role. The default is a button.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Sets the description for assistive tools, such as the reason why the control is disabled.
    #[must_use]
    pub fn description(mut self, text: Option<String>) -> Self {
        self.description = text;
        self
    }

    /// Sets the keys that press it, for assistive tools. The root widget handles the keys.
    #[must_use]
    pub fn shortcut(mut self, keys: Option<String>) -> Self {
        self.shortcut = keys;
        self
    }

    /// Makes it a switch, or one of several choices. Assistive tools read out the state, so the name must not depend on it.
    #[must_use]
    pub fn toggled(mut self, on: bool) -> Self {
        if self.role == Role::Button {
            self.role = Role::Switch;
        }
        self.toggled = Some(on);
        self
    }

    /// Makes it a control that opens a menu. `open` says whether the menu is open.
    #[must_use]
    pub fn expanded(mut self, open: bool) -> Self {
        self.expanded = Some(open);
        self.popup = Some(HasPopup::Menu);
        self
    }

    /// Makes it a control that opens a dialog.
    #[must_use]
    pub fn opens_dialog(mut self) -> Self {
        self.popup = Some(HasPopup::Dialog);
        self
    }

    /// Sets the look.
    #[must_use]
    pub fn look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// Sets the width. The default is that of the content.
    #[must_use]
    pub fn width(mut self, width: impl Into<Length>) -> Self {
        self.width = width.into();
        self
    }

    /// Sets the minimum height, in logical pixels.
    #[must_use]
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Sets the padding around the content.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Makes it a square with this side, for an icon without text.
    #[must_use]
    pub fn square(self, side: f32) -> Self {
        self.width(side).height(side).padding(0)
    }

    fn control(&self) -> Control {
        self.id.clone().map_or_else(|| Control::Named(self.label.clone()), Control::Id)
    }

    fn is(&self, control: &Control) -> bool {
        match control {
            Control::Id(id) => self.id.as_ref() == Some(id),
            Control::Named(name) => self.id.is_none() && self.label == *name,
        }
    }

    fn semantics(&self) -> Semantics {
        let mut semantics = Semantics::new(self.role, &self.label);
        let node = &mut semantics.node;
        if let Some(text) = &self.description {
            node.set_description(text.as_str());
        }
        if let Some(on) = self.toggled {
            node.set_toggled(if on { Toggled::True } else { Toggled::False });
        }
        if let Some(open) = self.expanded {
            node.set_expanded(open);
        }
        if let Some(popup) = self.popup {
            node.set_has_popup(popup);
        }
        if let Some(keys) = &self.shortcut {
            node.set_keyboard_shortcut(keys.as_str());
        }
        if self.on_press.is_some() {
            node.add_action(Action::Click);
        } else {
            node.set_disabled();
        }
        semantics
    }

    fn status(&self, state: &State) -> Status {
        Status {
            enabled: self.on_press.is_some(),
            pressed: state.pressed && self.on_press.is_some(),
            selected: self.toggled == Some(true) || self.expanded == Some(true),
            hover: state.hover.as_ref().zip(state.now).map_or(0.0, |(hover, now)| hover.interpolate(0.0, 1.0, now)),
        }
    }

    /// Handles a pointer or touch event. Returns whether the event presses the control.
    fn pointer(&self, state: &mut State, event: &Event, over: bool) -> bool {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. }) => {
                state.focused = self.on_press.is_some() && over;
                state.ring = false;
                state.pressed = over;
                false
            }
            Event::Mouse(mouse::Event::ButtonPressed(_)) => {
                state.unfocus();
                false
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerLifted { .. }) => std::mem::take(&mut state.pressed) && over,
            Event::Touch(touch::Event::FingerLost { .. }) => {
                state.pressed = false;
                false
            }
            _ => false,
        }
    }
}

/// Which control a state belongs to. iced matches states to widgets by their position only.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Control {
    /// The control with this id.
    Id(Id),
    /// The control with this name, which has no id.
    Named(String),
}

#[expect(clippy::struct_excessive_bools, reason = "they change independently")]
struct State {
    control: Control,
    /// Tab continues from here.
    focused: bool,
    /// The focus came from the keyboard or an assistive tool, not from a click: the ring is shown, and keys press the
    /// control.
    ring: bool,
    /// The pointer button or a finger is held down on it.
    pressed: bool,
    /// An assistive tool has pressed it. The message is published with the next event.
    activated: bool,
    hover: Option<Animation<bool>>,
    /// The time of the last redraw, for the hover animation.
    now: Option<Instant>,
}

impl State {
    fn new(control: Control) -> Self {
        Self { control, focused: false, ring: false, pressed: false, activated: false, hover: None, now: None }
    }

    /// Advances the hover animation. Returns whether it is still running.
    fn update_hover(&mut self, over: bool, now: Instant) -> bool {
        self.now = Some(now);
        let hover = self.hover.get_or_insert_with(|| Animation::new(false).duration(APPEAR).easing(Easing::EaseOut));
        if hover.value() != over {
            hover.go_mut(over, now);
        }
        hover.is_animating(now)
    }
}

impl Focusable for State {
    fn is_focused(&self) -> bool {
        self.focused
    }

    fn focus(&mut self) {
        self.focused = true;
        self.ring = true;
    }

    fn unfocus(&mut self) {
        self.focused = false;
        self.ring = false;
    }
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for Press<'_, Message> {
    forward!(child: children);

    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::new(self.control()))
    }

    /// Resets the state if another control had this position in the last view. Otherwise its focus would move to this
    /// control, and a key would press what the user has not chosen.
    fn diff(&self, tree: &mut Tree) {
        let state = tree.state.downcast_mut::<State>();
        if !self.is(&state.control) {
            *state = State::new(self.control());
        }
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        Size::new(self.width, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let limits = limits.width(self.width).min_height(self.height);
        let inner = limits.shrink(self.padding).loose();
        let content = self.content.as_widget_mut().layout(&mut tree.children[0], renderer, &inner);
        let size = limits.resolve(self.width, Length::Shrink, content.size().expand(self.padding));
        let fills = self.content.as_widget().size().width.is_fill();
        let free = size - content.size();
        let x = if fills || self.is_left_aligned() { self.padding.left } else { free.width / 2.0 };
        layout::Node::with_children(size, vec![content.translate(Vector::new(x, free.height / 2.0))])
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        let state = tree.state.downcast_mut::<State>();
        let mut semantics = self.semantics();
        semantics.clicked = state.focused && !state.ring;
        operation.custom(self.id.as_ref(), layout.bounds(), &mut semantics);
        // A control that its own press disabled stays focusable until Tab leaves it. Otherwise the next Tab would start
        // from the first control.
        if self.on_press.is_some() || state.focused {
            operation.focusable(self.id.as_ref(), layout.bounds(), state);
        }
        state.activated |= semantics.requested.is_some_and(|request| request.action == Action::Click);
        let content = layout.children().next();
        operation.traverse(&mut |operation| {
            if let Some(content) = content {
                self.content.as_widget_mut().operate(&mut tree.children[0], content, renderer, operation);
            }
        });
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        if let Some(bounds) = layout.children().next() {
            let content = self.content.as_widget_mut();
            content.update(&mut tree.children[0], event, bounds, cursor, renderer, clipboard, shell, viewport);
        }
        let state = tree.state.downcast_mut::<State>();
        let over = cursor.is_over(layout.bounds());
        let before = (state.pressed, state.focused && state.ring);
        let mut activate = std::mem::take(&mut state.activated) | self.pointer(state, event, over);
        match event {
            Event::Window(window::Event::RedrawRequested(now))
                if state.update_hover(over && self.on_press.is_some(), *now) =>
            {
                shell.request_redraw();
            }
            Event::Keyboard(keyboard::Event::KeyPressed {
                key: keyboard::Key::Named(Named::Enter | Named::Space),
                repeat: false,
                modifiers,
                ..
            }) if state.focused && state.ring && modifiers.is_empty() && !shell.is_event_captured() => {
                activate = true;
                shell.capture_event();
            }
            Event::Mouse(mouse::Event::CursorMoved { .. })
                if over != state.hover.as_ref().is_some_and(Animation::value) =>
            {
                shell.request_redraw();
            }
            _ => {}
        }
        if before != (state.pressed, state.focused && state.ring) {
            shell.request_redraw();
        }
        if let Some(message) = self.on_press.as_ref().filter(|_| activate) {
            shell.publish(message.clone());
            shell.capture_event();
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let paint = theme.control(self.look, self.status(state));
        let quad = renderer::Quad { bounds: layout.bounds(), border: paint.border, ..renderer::Quad::default() };
        renderer.fill_quad(quad, Background::Color(paint.background));
        let style = renderer::Style { text_color: paint.content };
        if let Some(content) = layout.children().next() {
            self.content.as_widget().draw(&tree.children[0], renderer, theme, &style, content, cursor, viewport);
        }
        if state.focused && state.ring {
            self.draw_ring(renderer, theme, layout.bounds(), viewport);
        }
    }

    fn mouse_interaction(
        &self,
        _tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        match (cursor.is_over(layout.bounds()), self.on_press.is_some()) {
            (true, true) => mouse::Interaction::Pointer,
            (true, false) => mouse::Interaction::Idle,
            (false, _) => mouse::Interaction::None,
        }
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let content = layout.children().next()?;
        self.content.as_widget_mut().overlay(&mut tree.children[0], content, renderer, viewport, translation)
    }
}

impl<Message> Press<'_, Message> {
    /// Draws the focus ring outside, with a gap. It is inside for items of lists, which have no space between them, and
    /// for controls at the edge of the viewport, which would clip it.
    fn draw_ring(&self, renderer: &mut Renderer, theme: &Theme, bounds: Rectangle, viewport: &Rectangle) {
        let (gap, width) = (RING, theme.ring());
        let outside = bounds.expand(gap + width);
        let (ring, radius) = if self.look == Look::Item || !outside.is_within(viewport) {
            (bounds.shrink(gap), RADIUS_CONTROL - gap)
        } else {
            (outside, RADIUS_CONTROL + gap + width)
        };
        let colours = theme.colours();
        let color = match self.look {
            // The accent colour has too little contrast on these, so a ring inside has the colour of the text.
            Look::Primary if ring != outside => colours.on_accent,
            Look::Danger if ring != outside => colours.on_danger,
            _ => colours.accent,
        };
        let border = Border { color, width, radius: radius.into() };
        let ring = renderer::Quad { bounds: ring, border, ..renderer::Quad::default() };
        renderer.fill_quad(ring, Background::Color(Color::TRANSPARENT));
    }

    /// Items and fields are left-aligned; buttons are centred.
    fn is_left_aligned(&self) -> bool {
        matches!(self.look, Look::Item | Look::Field)
    }
}

impl<'a, Message: Clone + 'a> From<Press<'a, Message>> for Element<'a, Message> {
    fn from(press: Press<'a, Message>) -> Self {
        Element::new(press)
    }
}
