//! The template dependency structure, which defines the template ids of a stream.

use super::array_vec::ArrayVec;
use super::bits::{BitReader, BitWriter};

/// The role of a frame in one decode target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Indication {
    /// The frame is not part of the decode target.
    #[default]
    NotPresent,
    /// No later frame of the decode target depends on this one.
    Discardable,
    /// A receiver may switch to the decode target here.
    Switch,
    /// Later frames of the decode target depend on this one.
    Required,
}

/// A picture's size in luma samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Samples in a row. 65 536, which the wire format allows, is read as 65 535.
    pub width: u16,
    /// Rows, with the same bound.
    pub height: u16,
}

/// The properties that the frames of one template share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The spatial layer within the stream, 0..=3.
    pub spatial: u8,
    /// The temporal layer, 0..=7.
    pub temporal: u8,
    /// One indication for each decode target.
    pub indications: ArrayVec<Indication, MAX_TARGETS>,
    /// For each frame that the frame depends on, how many frames before it that one was sent: 1..=16.
    pub frame_diffs: ArrayVec<u8, MAX_FRAME_DIFFS>,
    /// For each chain, how many frames before this one its last frame was sent.
    pub chain_diffs: ArrayVec<u8, MAX_TARGETS>,
}

/// The templates of one stream. A structure comes with a key frame and is valid until the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    template_offset: u8,
    /// 1..=32.
    targets: u8,
    /// At most as many as there are decode targets.
    chains: u8,
    /// For each decode target, the chain that protects it. Empty if there are no chains.
    protected_by: ArrayVec<u8, MAX_TARGETS>,
    templates: Vec<Template>,
    /// One for each spatial layer, or none.
    resolutions: ArrayVec<Resolution, MAX_SPATIAL_LAYERS>,
}

impl Structure {
    /// Returns one spatial and three temporal layers, as `L1T3` in the specification. Template ids begin at
    /// `template_offset`, 0..=63.
    pub fn l1t3(template_offset: u8) -> Self {
        use Indication::{Discardable as D, NotPresent as N, Switch as S};
        let templates = vec![
            template(0, [S, S, S], None, 0),
            template(0, [S, S, S], Some(4), 4),
            template(1, [N, D, S], Some(2), 2),
            template(2, [N, N, D], Some(1), 1),
            template(2, [N, N, D], Some(1), 3),
        ];
        Self::one_chain(template_offset, ArrayVec::of([0; 3]), templates)
    }

    /// Returns one spatial and one temporal layer, as `L1T1` in the specification. Template ids begin at
    /// `template_offset`, 0..=63.
    pub fn l1t1(template_offset: u8) -> Self {
        let templates = vec![template(0, [Indication::Switch], None, 0), template(0, [Indication::Switch], Some(1), 1)];
        Self::one_chain(template_offset, ArrayVec::of([0]), templates)
    }

    fn one_chain(template_offset: u8, protected_by: ArrayVec<u8, MAX_TARGETS>, templates: Vec<Template>) -> Self {
        let targets = u8::try_from(protected_by.len()).unwrap_or(1);
        Self { template_offset, targets, chains: 1, protected_by, templates, resolutions: ArrayVec::new() }
    }

    /// Returns the same structure with the picture's size, for a stream of one spatial layer.
    #[must_use]
    pub fn with_resolution(self, resolution: Resolution) -> Self {
        Self { resolutions: ArrayVec::of([resolution]), ..self }
    }

    /// Returns the id of the first template.
    pub const fn template_offset(&self) -> u8 {
        self.template_offset
    }

    /// Returns the number of decode targets, 1..=32.
    pub const fn targets(&self) -> u8 {
        self.targets
    }

    /// Returns the number of chains.
    pub const fn chains(&self) -> u8 {
        self.chains
    }

    /// Returns the templates, at most 64.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// Returns the picture's size for each spatial layer. Empty if the sender did not include it.
    pub fn resolutions(&self) -> &[Resolution] {
        &self.resolutions
    }

    /// Returns the template with the id `id`, or `None` if there is none.
    pub fn template(&self, id: u8) -> Option<&Template> {
        self.templates.get(usize::from(id.wrapping_add(64).wrapping_sub(self.template_offset) % 64))
    }

    /// Reads `template_dependency_structure()`. Returns `None` if the bytes end early or a value is out of range.
    pub fn read(from: &mut BitReader<'_>) -> Option<Self> {
        let template_offset = from.byte(6)?;
        let targets = from.byte(5)? + 1;
        let mut templates = read_layers(from)?;
        for template in &mut templates {
            template.indications = ArrayVec::collect(targets, || read_indication(from))?;
        }
        for template in &mut templates {
            while from.flag()? {
                template.frame_diffs.push(from.byte(4)? + 1)?;
            }
        }
        let chains = u8::try_from(from.below(u32::from(targets) + 1)?).ok()?;
        let mut protected_by = ArrayVec::new();
        if chains > 0 {
            protected_by = ArrayVec::collect(targets, || u8::try_from(from.below(u32::from(chains))?).ok())?;
            for template in &mut templates {
                template.chain_diffs = ArrayVec::collect(chains, || from.byte(4))?;
            }
        }
        let layers = templates.last()?.spatial + 1;
        let resolutions =
            if from.flag()? { ArrayVec::collect(layers, || read_resolution(from))? } else { ArrayVec::new() };
        Some(Self { template_offset, targets, chains, protected_by, templates, resolutions })
    }

    /// Writes `template_dependency_structure()`.
    pub fn write(&self, to: &mut BitWriter) {
        to.bits(u32::from(self.template_offset), 6);
        to.bits(u32::from(self.targets.saturating_sub(1)), 5);
        for (index, template) in self.templates.iter().enumerate() {
            to.bits(next_layer(template, self.templates.get(index + 1)), 2);
        }
        for indication in self.templates.iter().flat_map(|template| template.indications.iter()) {
            to.bits(*indication as u32, 2);
        }
        for template in &self.templates {
            for diff in template.frame_diffs.iter() {
                to.flag(true);
                to.bits(u32::from(diff.saturating_sub(1)), 4);
            }
            to.flag(false);
        }
        self.write_chains(to);
        to.flag(!self.resolutions.is_empty());
        for resolution in self.resolutions.iter() {
            to.bits(u32::from(resolution.width.saturating_sub(1)), 16);
            to.bits(u32::from(resolution.height.saturating_sub(1)), 16);
        }
    }

    fn write_chains(&self, to: &mut BitWriter) {
        to.below(u32::from(self.chains), u32::from(self.targets) + 1);
        if self.chains == 0 {
            return;
        }
        for chain in self.protected_by.iter() {
            to.below(u32::from(*chain), u32::from(self.chains));
        }
        for diff in self.templates.iter().flat_map(|template| template.chain_diffs.iter()) {
            to.bits(u32::from(*diff), 4);
        }
    }
}

fn template<const N: usize>(temporal: u8, indications: [Indication; N], diff: Option<u8>, chain_diff: u8) -> Template {
    Template {
        spatial: 0,
        temporal,
        indications: ArrayVec::of(indications),
        frame_diffs: diff.map_or_else(ArrayVec::new, |diff| ArrayVec::of([diff])),
        chain_diffs: ArrayVec::of([chain_diff]),
    }
}

/// Returns `next_layer_idc`: 0 is the same layer, 1 the next temporal one, 2 the next spatial one, 3 no more templates.
fn next_layer(template: &Template, next: Option<&Template>) -> u32 {
    match next {
        None => 3,
        Some(next) if next.spatial > template.spatial => 2,
        Some(next) if next.temporal > template.temporal => 1,
        Some(_) => 0,
    }
}

fn read_layers(from: &mut BitReader<'_>) -> Option<Vec<Template>> {
    let mut templates = Vec::with_capacity(USUAL_TEMPLATES);
    let (mut spatial, mut temporal) = (0_u8, 0_u8);
    while templates.len() < MAX_TEMPLATES {
        templates.push(Template {
            spatial,
            temporal,
            indications: ArrayVec::new(),
            frame_diffs: ArrayVec::new(),
            chain_diffs: ArrayVec::new(),
        });
        match from.bits(2)? {
            0 => {}
            1 => temporal += 1,
            2 => (spatial, temporal) = (spatial + 1, 0),
            _ => return Some(templates),
        }
        if usize::from(spatial) >= MAX_SPATIAL_LAYERS || temporal >= MAX_TEMPORAL_LAYERS {
            return None;
        }
    }
    None
}

fn read_indication(from: &mut BitReader<'_>) -> Option<Indication> {
    Some(match from.bits(2)? {
        0 => Indication::NotPresent,
        1 => Indication::Discardable,
        2 => Indication::Switch,
        _ => Indication::Required,
    })
}

fn read_resolution(from: &mut BitReader<'_>) -> Option<Resolution> {
    let side = |value: u32| u16::try_from(value + 1).unwrap_or(u16::MAX);
    Some(Resolution { width: side(from.bits(16)?), height: side(from.bits(16)?) })
}

/// The maximum number of frames that one frame depends on. The specification has no bound, but encoders use at most
/// three.
pub const MAX_FRAME_DIFFS: usize = 8;

/// The maximum number of decode targets. Their count has five bits.
const MAX_TARGETS: usize = 32;

/// The maximum number of templates. Their ids have six bits.
const MAX_TEMPLATES: usize = 64;

/// The number of templates for which memory is reserved at first: more than `L1T3` has.
const USUAL_TEMPLATES: usize = 8;

/// The maximum number of spatial layers. Spatial ids have two bits in other fields.
const MAX_SPATIAL_LAYERS: usize = 4;

/// The maximum number of temporal layers. Temporal ids have three bits in other fields.
const MAX_TEMPORAL_LAYERS: u8 = 8;
