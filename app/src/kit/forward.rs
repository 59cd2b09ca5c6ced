//! Macros that write those methods of iced's [`Widget`](iced::advanced::Widget) that a widget only forwards to its content.
//! A widget writes its own methods by hand and lists the others.
//!
//! `Message`, `Theme` and `Renderer` are the types with these names in the file that calls the macro.

/// Writes the listed methods so that each calls the same method of the content.
///
/// The first word says where the content keeps its state:
///
/// - `same`: `self.content` uses the tree node of the widget itself, which has no state.
/// - `child`: `self.content` uses the first child of the node; the node holds the state of the widget.
/// - `adapted`: like `same`, but the content draws with `renderer.inner`.
/// - `list`: each of `self.children` uses one child of the node. Only `children`, `diff` and `overlay` can be
///   listed.
macro_rules! forward {
    ($node:ident: $($method:ident),+ $(,)?) => {
        $($crate::kit::forward::method! { $method $node })+
    };
}

/// Writes `tag` and `state` of a widget whose tree node holds a `$state`. Its first value is the default.
macro_rules! stateful {
    ($state:ty) => {
        fn tag(&self) -> ::iced::advanced::widget::tree::Tag {
            ::iced::advanced::widget::tree::Tag::of::<$state>()
        }

        fn state(&self) -> ::iced::advanced::widget::tree::State {
            ::iced::advanced::widget::tree::State::new(<$state>::default())
        }
    };
}

/// Writes one method for [`forward`].
macro_rules! method {
    (tag $node:ident) => {
        fn tag(&self) -> ::iced::advanced::widget::tree::Tag {
            self.content.as_widget().tag()
        }
    };
    (state $node:ident) => {
        fn state(&self) -> ::iced::advanced::widget::tree::State {
            self.content.as_widget().state()
        }
    };
    (children list) => {
        fn children(&self) -> Vec<::iced::advanced::widget::Tree> {
            self.children.iter().map(::iced::advanced::widget::Tree::new).collect()
        }
    };
    (children child) => {
        fn children(&self) -> Vec<::iced::advanced::widget::Tree> {
            vec![::iced::advanced::widget::Tree::new(&self.content)]
        }
    };
    (children $node:ident) => {
        fn children(&self) -> Vec<::iced::advanced::widget::Tree> {
            self.content.as_widget().children()
        }
    };
    (diff list) => {
        fn diff(&self, tree: &mut ::iced::advanced::widget::Tree) {
            tree.diff_children(&self.children);
        }
    };
    (diff child) => {
        fn diff(&self, tree: &mut ::iced::advanced::widget::Tree) {
            tree.diff_children(::std::slice::from_ref(&self.content));
        }
    };
    (diff $node:ident) => {
        fn diff(&self, tree: &mut ::iced::advanced::widget::Tree) {
            self.content.as_widget().diff(tree);
        }
    };
    (size $node:ident) => {
        fn size(&self) -> ::iced::Size<::iced::Length> {
            self.content.as_widget().size()
        }
    };
    (size_hint $node:ident) => {
        fn size_hint(&self) -> ::iced::Size<::iced::Length> {
            self.content.as_widget().size_hint()
        }
    };
    (layout $node:ident) => {
        fn layout(
            &mut self,
            tree: &mut ::iced::advanced::widget::Tree,
            renderer: &Renderer,
            limits: &::iced::advanced::layout::Limits,
        ) -> ::iced::advanced::layout::Node {
            let node = $crate::kit::forward::node!($node mut tree);
            self.content.as_widget_mut().layout(node, $crate::kit::forward::renderer!($node renderer), limits)
        }
    };
    (operate $node:ident) => {
        fn operate(
            &mut self,
            tree: &mut ::iced::advanced::widget::Tree,
            layout: ::iced::advanced::Layout<'_>,
            renderer: &Renderer,
            operation: &mut dyn ::iced::advanced::widget::Operation,
        ) {
            let node = $crate::kit::forward::node!($node mut tree);
            self.content.as_widget_mut().operate(node, layout, $crate::kit::forward::renderer!($node renderer), operation);
        }
    };
    (update $node:ident) => {
        fn update(
            &mut self,
            tree: &mut ::iced::advanced::widget::Tree,
            event: &::iced::Event,
            layout: ::iced::advanced::Layout<'_>,
            cursor: ::iced::advanced::mouse::Cursor,
            renderer: &Renderer,
            clipboard: &mut dyn ::iced::advanced::Clipboard,
            shell: &mut ::iced::advanced::Shell<'_, Message>,
            viewport: &::iced::Rectangle,
        ) {
            let node = $crate::kit::forward::node!($node mut tree);
            let content = self.content.as_widget_mut();
            let inner = $crate::kit::forward::renderer!($node renderer);
            content.update(node, event, layout, cursor, inner, clipboard, shell, viewport);
        }
    };
    (draw $node:ident) => {
        fn draw(
            &self,
            tree: &::iced::advanced::widget::Tree,
            renderer: &mut Renderer,
            theme: &Theme,
            style: &::iced::advanced::renderer::Style,
            layout: ::iced::advanced::Layout<'_>,
            cursor: ::iced::advanced::mouse::Cursor,
            viewport: &::iced::Rectangle,
        ) {
            let node = $crate::kit::forward::node!($node ref tree);
            self.content.as_widget().draw(node, renderer, theme, style, layout, cursor, viewport);
        }
    };
    (mouse_interaction $node:ident) => {
        fn mouse_interaction(
            &self,
            tree: &::iced::advanced::widget::Tree,
            layout: ::iced::advanced::Layout<'_>,
            cursor: ::iced::advanced::mouse::Cursor,
            viewport: &::iced::Rectangle,
            renderer: &Renderer,
        ) -> ::iced::advanced::mouse::Interaction {
            let node = $crate::kit::forward::node!($node ref tree);
            let inner = $crate::kit::forward::renderer!($node renderer);
            self.content.as_widget().mouse_interaction(node, layout, cursor, viewport, inner)
        }
    };
    (overlay list) => {
        fn overlay<'b>(
            &'b mut self,
            tree: &'b mut ::iced::advanced::widget::Tree,
            layout: ::iced::advanced::Layout<'b>,
            renderer: &Renderer,
            viewport: &::iced::Rectangle,
            translation: ::iced::Vector,
        ) -> Option<::iced::advanced::overlay::Element<'b, Message, Theme, Renderer>> {
            let children = &mut self.children;
            ::iced::advanced::overlay::from_children(children, tree, layout, renderer, viewport, translation)
        }
    };
    (overlay $node:ident) => {
        fn overlay<'b>(
            &'b mut self,
            tree: &'b mut ::iced::advanced::widget::Tree,
            layout: ::iced::advanced::Layout<'b>,
            renderer: &Renderer,
            viewport: &::iced::Rectangle,
            translation: ::iced::Vector,
        ) -> Option<::iced::advanced::overlay::Element<'b, Message, Theme, Renderer>> {
            let node = $crate::kit::forward::node!($node mut tree);
            self.content.as_widget_mut().overlay(node, layout, renderer, viewport, translation)
        }
    };
}

/// The tree node that the content uses.
macro_rules! node {
    (child mut $tree:ident) => {
        &mut $tree.children[0]
    };
    (child ref $tree:ident) => {
        &$tree.children[0]
    };
    ($node:ident mut $tree:ident) => {
        $tree
    };
    ($node:ident ref $tree:ident) => {
        $tree
    };
}

/// The renderer that the content uses.
macro_rules! renderer {
    (adapted $renderer:ident) => {
        &$renderer.inner
    };
    ($node:ident $renderer:ident) => {
        $renderer
    };
}

pub(crate) use {forward, method, node, renderer, stateful};
