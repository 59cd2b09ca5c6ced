// Draws tiles: rounded rectangles with a picture or a colour, and glyphs of an atlas, one instance each.
// Colours are sRGB code values. They are converted to linear values only for a target with sRGB encoding.

// True if the target's format encodes linear values into sRGB.
override LINEAR_TARGET: bool = false;

const SHAPE: u32 = 0u;
const PICTURE: u32 = 1u;
const GLYPH: u32 = 2u;

struct Scene {
    // Size of the target in pixels.
    size: vec2<f32>,
    unused: vec2<f32>,
    // Three rows per conversion: R, G and B are dot(row, (Y, U, V, 1)).
    conversions: array<vec4<f32>, 24>,
}

@group(0) @binding(0) var<uniform> scene: Scene;
@group(0) @binding(1) var blend: sampler;
@group(0) @binding(2) var atlas: texture_2d<f32>;
@group(1) @binding(0) var luma: texture_2d_array<f32>;
@group(1) @binding(1) var chroma: texture_2d_array<f32>;

struct Instance {
    // Left, top, width, height in pixels.
    @location(0) area: vec4<f32>,
    // The step in samples for one pixel to the right (x) and for one pixel down (y).
    @location(1) step: vec2<f32>,
    // The sample position of the top left corner (xy) and the picture's size (zw); for a glyph its position in the atlas.
    @location(2) origin: vec4<f32>,
    // Corner radius, ring width, filter taps along each axis.
    @location(3) shape: vec4<f32>,
    // The background of a picture, or the colour of a shape or glyph.
    @location(4) fill: vec4<f32>,
    @location(5) ring: vec4<f32>,
    // The kind (low 8 bits) and the colour conversion, then the texture layer.
    @location(6) source: vec2<u32>,
}

struct Fragment {
    @builtin(position) position: vec4<f32>,
    // Pixels from the top left corner of the area.
    @location(0) pixel: vec2<f32>,
    @location(1) @interpolate(flat) extent: vec2<f32>,
    @location(2) @interpolate(flat) step: vec2<f32>,
    @location(3) @interpolate(flat) origin: vec4<f32>,
    @location(4) @interpolate(flat) shape: vec4<f32>,
    @location(5) @interpolate(flat) fill: vec4<f32>,
    @location(6) @interpolate(flat) ring: vec4<f32>,
    @location(7) @interpolate(flat) source: vec2<u32>,
}

@vertex
fn vertex(@builtin(vertex_index) index: u32, instance: Instance) -> Fragment {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    let at = (instance.area.xy + corner * instance.area.zw) / scene.size;
    var out: Fragment;
    out.position = vec4<f32>(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0);
    out.pixel = corner * instance.area.zw;
    out.extent = instance.area.zw;
    out.step = instance.step;
    out.origin = instance.origin;
    out.shape = instance.shape;
    out.fill = instance.fill;
    out.ring = instance.ring;
    out.source = instance.source;
    return out;
}

// The signed distance to a rounded rectangle around the origin; negative inside.
fn rounded(at: vec2<f32>, half_extent: vec2<f32>, radius: f32) -> f32 {
    let beyond = abs(at) - half_extent + vec2<f32>(radius);
    return length(max(beyond, vec2<f32>(0.0))) + min(max(beyond.x, beyond.y), 0.0) - radius;
}

// Converts sRGB code values to linear values.
fn linear(code: vec3<f32>) -> vec3<f32> {
    let curve = pow((code + 0.055) / 1.055, vec3<f32>(2.4));
    return select(curve, code / 12.92, code <= vec3<f32>(0.04045));
}

// Y, U and V at a sample position. Positions are clamped to half a texel inside the picture, so that interpolation never
// reads texels outside it.
fn fetch(at: vec2<f32>, in: Fragment) -> vec3<f32> {
    let size = in.origin.zw;
    let layer = i32(in.source.y);
    let half = vec2<f32>(0.5);
    let y_at = clamp(at, half, size - half) / vec2<f32>(textureDimensions(luma));
    let c_at = clamp(at * 0.5, half, ceil(size * 0.5) - half) / vec2<f32>(textureDimensions(chroma));
    let y = textureSampleLevel(luma, blend, y_at, layer, 0.0).r;
    let c = textureSampleLevel(chroma, blend, c_at, layer, 0.0).rg;
    return vec3<f32>(y, c);
}

// The picture's colour at a pixel, or the background if the pixel is outside the picture.
fn picture(in: Fragment) -> vec4<f32> {
    let at = in.origin.xy + in.step * in.pixel;
    if (any(at < vec2<f32>(0.0)) || any(at > in.origin.zw)) {
        return in.fill;
    }
    let taps = i32(in.shape.z);
    var yuv = vec3<f32>(0.0);
    for (var down = 0; down < taps; down++) {
        for (var right = 0; right < taps; right++) {
            let part = (vec2<f32>(f32(right), f32(down)) + 0.5) / f32(taps) - 0.5;
            yuv += fetch(at + in.step * part, in);
        }
    }
    let sample = vec4<f32>(yuv / f32(taps * taps), 1.0);
    let row = (in.source.x >> 8u) * 3u;
    let rgb = vec3<f32>(
        dot(scene.conversions[row], sample),
        dot(scene.conversions[row + 1u], sample),
        dot(scene.conversions[row + 2u], sample),
    );
    return vec4<f32>(clamp(rgb, vec3<f32>(0.0), vec3<f32>(1.0)), 1.0);
}

// The tinted texel of the atlas, with straight alpha. The atlas is premultiplied.
fn glyph(in: Fragment) -> vec4<f32> {
    let texel = textureLoad(atlas, vec2<i32>(in.origin.xy + floor(in.pixel)), 0);
    let straight = texel.rgb / max(texel.a, 1.0 / 255.0);
    return vec4<f32>(straight * in.fill.rgb, texel.a * in.fill.a);
}

// The colour of a rounded rectangle with its ring, with straight alpha. The coverage at the edge is part of the alpha.
fn tile(in: Fragment, kind: u32) -> vec4<f32> {
    var colour = in.fill;
    if (kind == PICTURE) {
        colour = picture(in);
    }
    let distance = rounded(in.pixel - in.extent * 0.5, in.extent * 0.5, in.shape.x);
    if (in.shape.y > 0.0) {
        let cover = clamp(0.5 + distance + in.shape.y, 0.0, 1.0) * in.ring.a;
        colour = vec4<f32>(mix(colour.rgb, in.ring.rgb, cover), max(colour.a, cover));
    }
    colour.a *= clamp(0.5 - distance, 0.0, 1.0);
    return colour;
}

@fragment
fn fragment(in: Fragment) -> @location(0) vec4<f32> {
    let kind = in.source.x & 0xffu;
    var colour: vec4<f32>;
    if (kind == GLYPH) {
        colour = glyph(in);
    } else {
        colour = tile(in, kind);
    }
    if (LINEAR_TARGET) {
        colour = vec4<f32>(linear(colour.rgb), colour.a);
    }
    return vec4<f32>(colour.rgb * colour.a, colour.a);
}
