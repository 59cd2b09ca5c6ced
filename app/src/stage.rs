//! The stage: the area of a window that shows the tiles. It is one widget that draws all tiles. For assistive tools it
//! is a list with one item per tile.
//!
//! A viewer's wishes are made here: `Stage::wishes` computes the size of each tile that shows another participant's
//! video.

mod paint;
mod tile;

use std::cell::RefCell;

use accesskit::Role;
use engine::{TileWish, TrackId};
use iced::advanced::image::{self, Renderer as _};
use iced::advanced::widget::{Id, Operation, Tree};
use iced::advanced::{Clipboard, Layout, Shell, Widget, layout, mouse, overlay, renderer};
use iced::widget::shader;
use iced::{Event, Length, Point, Rectangle, Renderer, Size, Vector, window};

use crate::grid;
use crate::kit::Element;
use crate::kit::a11y::Semantics;
use crate::kit::forward::stateful;
use crate::kit::tooltip::{Tooltip, TooltipText};
use crate::kit::wake::MAX_FRAME_RATE;
use crate::model::View;
use crate::theme::{GAP_TILES, Theme};

pub use paint::tile_font;
pub use tile::{ConnectionLoss, Tile};

/// The widget that shows the tiles.
pub struct Stage<'a, Message> {
    label: String,
    tiles: Vec<Tile>,
    scale: f32,
    frame_rate: u8,
    on_wishes: Option<Box<dyn Fn(Vec<TileWish>) -> Message + 'a>>,
    on_software: Option<Message>,
}

/// Creates a stage that shows `tiles` in a grid, around a shared screen if one of them is a screen, or ourselves inside the
/// tile of the only other participant. `scale` is physical
/// pixels per logical pixel. `label` is the name of the list for assistive tools.
pub fn stage<'a, Message>(label: &str, tiles: Vec<Tile>, scale: f32) -> Stage<'a, Message> {
    Stage { label: label.to_owned(), tiles, scale, frame_rate: MAX_FRAME_RATE, on_wishes: None, on_software: None }
}

impl<'a, Message> Stage<'a, Message> {
    /// Sets the frames per second that the window can show of one tile. Otherwise they are [`MAX_FRAME_RATE`].
    #[must_use]
    pub fn frame_rate(mut self, frame_rate: u8) -> Self {
        self.frame_rate = frame_rate;
        self
    }

    /// Sets the message that reports new wishes of the tiles. It is published once per change, after the layout.
    #[must_use]
    pub fn on_wishes(mut self, wishes: impl Fn(Vec<TileWish>) -> Message + 'a) -> Self {
        self.on_wishes = Some(Box::new(wishes));
        self
    }

    /// Sets the message that reports that there is no GPU. It is published once.
    #[must_use]
    pub fn on_software(mut self, message: Message) -> Self {
        self.on_software = Some(message);
        self
    }

    /// Records which tile is under the pointer. Its tooltip is an overlay, so a change requests a new layout.
    fn hover(&self, state: &mut State, pointer: Option<Point>, bounds: Rectangle, shell: &mut Shell<'_, Message>) {
        let under = |pointer: Point| {
            let places = places(&self.tiles, bounds);
            // The last one is drawn over the others.
            let index = places.iter().rposition(|place| place.contains(pointer))?;
            self.tiles.get(index).map(|tile| tile.view)
        };
        let hovered = pointer.and_then(under);
        let before = std::mem::replace(&mut state.hovered, hovered);
        let has_hint = |view| self.tiles.iter().any(|tile| Some(tile.view) == view && tile.hint.is_some());
        if before != hovered && (has_hint(before) || has_hint(hovered)) {
            shell.invalidate_layout();
            shell.request_redraw();
        }
    }

    /// The requests for the video of other participants, in physical pixels. `visible` is the part of the window that is seen:
    /// tiles outside of it are paused.
    fn wishes(&self, bounds: Rectangle, visible: Rectangle) -> Vec<TileWish> {
        let places = places(&self.tiles, bounds);
        let pixels = |side: f32| to_pixels(side * self.scale);
        let wish = |(tile, place): (&Tile, Rectangle)| match tile.view {
            View::Own => None,
            View::Track(track) => Some(TileWish {
                track,
                width: pixels(place.width),
                height: pixels(place.height),
                frames_per_second: self.frame_rate,
                priority: if tile.view.is_screen() { 2 } else { 1 },
                hidden: !is_seen(place, visible),
            }),
        };
        self.tiles.iter().zip(places).filter(|(tile, _)| tile.feed.is_some()).filter_map(wish).collect()
    }
}

/// The bounds of each tile, in the coordinates of `room`.
pub fn places(tiles: &[Tile], room: Rectangle) -> Vec<Rectangle> {
    let Some(shared) = tiles.iter().position(|tile| tile.view.is_screen()) else {
        return match tiles {
            // Our own tile is the last one, so it is drawn over the other.
            [other, own] if own.view == View::Own && other.view != View::Own => {
                let (large, inset) = grid::with_inset(room, GAP_TILES);
                vec![large, inset]
            }
            _ => grid::arrange(tiles.len(), room, GAP_TILES),
        };
    };
    let (screen, mut places) = grid::around_screen(tiles.len() - 1, room, GAP_TILES);
    places.insert(shared.min(places.len()), screen);
    places
}

/// Returns whether a part of a tile is seen that is large enough for a picture.
fn is_seen(place: Rectangle, visible: Rectangle) -> bool {
    place.intersection(&visible).is_some_and(|part| part.width >= MIN_VISIBLE && part.height >= MIN_VISIBLE)
}

/// The minimum width and height of the visible part of a tile, in logical pixels.
const MIN_VISIBLE: f32 = 8.0;

/// Rounds a length to pixels.
fn to_pixels(side: f32) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
    let pixels = side.round().clamp(0.0, f32::from(u16::MAX)) as u16;
    pixels
}

#[derive(Default)]
struct State {
    /// The wishes in the last message.
    last_wishes: Vec<TileWish>,
    /// The message about the missing GPU was published.
    reported: bool,
    /// Draws the tiles if there is no GPU.
    canvas: RefCell<paint::Canvas>,
    /// The view of the tile under the pointer.
    hovered: Option<View>,
    tooltip: TooltipText,
}

impl<Message> Widget<Message, Theme, Renderer> for Stage<'_, Message> {
    stateful!(State);

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, Length::Fill, Length::Fill)
    }

    fn operate(&mut self, _tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        let mut list = Semantics::new(Role::List, &self.label);
        operation.custom(Some(&Id::new("stage")), layout.bounds(), &mut list);
        operation.traverse(&mut |operation| {
            for (tile, bounds) in self.tiles.iter().zip(places(&self.tiles, layout.bounds())) {
                let id = tile_id(tile.view);
                operation.custom(Some(&id), bounds, &mut Semantics::new(Role::ListItem, &tile.label));
                operation.traverse(&mut |operation| operation.text(Some(&id), bounds, &tile.label));
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
        _clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        if let Event::Mouse(_) = event {
            self.hover(
                tree.state.downcast_mut::<State>(),
                cursor.position_over(layout.bounds()),
                layout.bounds(),
                shell,
            );
        }
        let Event::Window(window::Event::RedrawRequested(now)) = event else { return };
        // A picture that does not come causes no redraw.
        if let Some(at) = self.tiles.iter().filter_map(|tile| tile.freezes_at(*now)).min() {
            shell.request_redraw_at(at);
        }
        let state = tree.state.downcast_mut::<State>();
        if let (Renderer::Secondary(_), false, Some(message)) = (renderer, state.reported, self.on_software.take()) {
            state.reported = true;
            shell.publish(message);
        }
        let Some(on_wishes) = &self.on_wishes else { return };
        let wishes = self.wishes(layout.bounds(), *viewport);
        if state.last_wishes != wishes {
            state.last_wishes.clone_from(&wishes);
            shell.publish(on_wishes(wishes));
        }
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        _renderer: &Renderer,
        _viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let state = tree.state.downcast_mut::<State>();
        let index = self.tiles.iter().position(|tile| Some(tile.view) == state.hovered)?;
        let place = places(&self.tiles, layout.bounds()).get(index).copied()? + translation;
        let text = self.tiles.get(index)?.hint.as_deref()?;
        // Inside the tile, at its top: the label is at its bottom.
        let anchor = Rectangle { x: place.x + GAP_TILES, height: 0.0, ..place };
        Some(overlay::Element::new(Box::new(Tooltip { text, anchor, paragraph: &mut state.tooltip })))
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        match renderer {
            Renderer::Primary(_) => {
                let shader = shader::Shader::new(Gpu { tiles: &self.tiles, theme, scale: self.scale });
                let shader: &dyn Widget<(), Theme, Renderer> = &shader;
                shader.draw(&Tree::new(shader), renderer, theme, style, layout, cursor, viewport);
            }
            Renderer::Secondary(_) => {
                let state = tree.state.downcast_ref::<State>();
                let scene = paint::scene(&self.tiles, &places(&self.tiles, local(bounds)), theme, self.scale);
                let mut canvas = state.canvas.borrow_mut();
                for part in canvas.draw(&scene, theme, bounds.size(), self.scale) {
                    let place = on_pixels(bounds, part.place, self.scale);
                    renderer.draw_image(image::Image::new(part.handle.clone()), place, place);
                }
            }
        }
    }
}

impl<'a, Message: 'a> From<Stage<'a, Message>> for Element<'a, Message> {
    fn from(stage: Stage<'a, Message>) -> Self {
        Element::new(stage)
    }
}

/// The id of a tile for tests and assistive tools. It stays the same while the participant is in the meeting.
pub fn tile_id(view: View) -> Id {
    match view {
        View::Own => Id::new("tile-own"),
        View::Track(TrackId { owner, .. }) => {
            let kind = if view.is_screen() { "screen" } else { "tile" };
            Id::from(format!("{kind}-{:016x}", owner.0))
        }
    }
}

fn local(bounds: Rectangle) -> Rectangle {
    Rectangle::with_size(bounds.size())
}

/// Converts a rectangle in physical pixels of the stage to bounds in the window. They begin and end on whole pixels, so
/// that the software compositor can copy the image.
fn on_pixels(stage: Rectangle, [left, top, width, height]: [u32; 4], scale: f32) -> Rectangle {
    #[expect(clippy::cast_precision_loss, reason = "the size of a window")]
    let [left, top, width, height] = [left, top, width, height].map(|side| side as f32);
    Rectangle {
        x: ((stage.x * scale).round() + left) / scale,
        y: ((stage.y * scale).round() + top) / scale,
        width: width / scale,
        height: height / scale,
    }
}

/// The program of iced's shader widget, which draws the stage with the GPU.
struct Gpu<'a> {
    tiles: &'a [Tile],
    theme: &'a Theme,
    scale: f32,
}

impl shader::Program<()> for Gpu<'_> {
    type State = ();
    type Primitive = paint::Scene;

    fn draw(&self, _state: &(), _cursor: mouse::Cursor, bounds: Rectangle) -> paint::Scene {
        let tiles = paint::scene(self.tiles, &places(self.tiles, local(bounds)), self.theme, self.scale);
        paint::Scene { tiles, look: paint::look(self.theme) }
    }
}

impl shader::Primitive for paint::Scene {
    type Pipeline = paint::Pipeline;

    fn prepare(
        &self,
        pipeline: &mut paint::Pipeline,
        device: &iced::wgpu::Device,
        queue: &iced::wgpu::Queue,
        bounds: &Rectangle,
        viewport: &shader::Viewport,
    ) {
        pipeline.prepare(self, device, queue, bounds.size(), viewport.scale_factor());
    }

    fn draw(&self, pipeline: &paint::Pipeline, pass: &mut iced::wgpu::RenderPass<'_>) -> bool {
        pipeline.draw(pass);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{ParticipantId, Slot};
    use iced::Point;

    fn tile(owner: u64) -> Tile {
        Tile {
            view: View::Track(TrackId { owner: ParticipantId(owner), slot: Slot::Camera }),
            label: String::new(),
            name: "".into(),
            initials: "".into(),
            colour: iced::Color::WHITE,
            muted: false,
            mark: None,
            speaking: false,
            mirrored: false,
            feed: Some(render::Feed::new()),
            loss: None,
            note: None,
            hint: None,
        }
    }

    #[test]
    fn a_tile_outside_the_visible_part_is_paused() {
        let stage = stage::<()>("", (1..=4).map(tile).collect(), 2.0).frame_rate(15);
        let bounds = Rectangle::with_size(Size::new(1_600.0, 900.0));
        let paused = |visible: Rectangle| -> Vec<bool> {
            stage.wishes(bounds, visible).iter().map(|wish| wish.hidden).collect()
        };
        assert_eq!(paused(bounds), [false; 4]);
        assert_eq!(paused(Rectangle::with_size(Size::new(1_600.0, 440.0))), [false, false, true, true]);
        let below = Rectangle::new(Point::new(0.0, 900.0), Size::new(1_600.0, 900.0));
        assert_eq!(paused(below), [true; 4], "the stage is scrolled out");
        let wish = stage.wishes(bounds, bounds)[0];
        assert_eq!((wish.frames_per_second, wish.width > 1_500), (15, true), "physical pixels: {wish:?}");
    }
}
