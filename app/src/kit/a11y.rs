//! Builds an AccessKit tree from a widget tree, and delivers AccessKit actions to widgets.

mod editable_text;
mod port;
mod semantics;
mod tree_builder;

pub use editable_text::EditableText;
pub use port::Port;
pub use semantics::Semantics;
pub use tree_builder::{ROOT, TreeBuilder};
