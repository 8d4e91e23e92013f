// The methods of context_inpaint.classical and the rules of context_inpaint.masked_convs in JavaScript, picture by picture.
// An image is a Float32Array [3, h, w] in [0, 1]; a mask a Uint8Array [h, w], 1 = hole; a network an async (seen, h, w) => Float32Array [3, h, w] in [-1, 1].

/** Python's rounding: halves to the even neighbour. */
const roundEven = x => Math.abs(x % 1) === .5 ? 2*Math.round(x/2) : Math.round(x);

/** Squared distance of every pixel to the nearest one where `is(value)` is false (Felzenszwalb and Huttenlocher 2012). */
export function distanceSquared(mask, h, w, is = v => v) {
  const far = 1e12, d = Float64Array.from(mask, v => is(v) ? far : 0);
  const line = (start, step, n) => {
    const f = new Float64Array(n), at = new Int32Array(n), edge = new Float64Array(n + 1);
    for (let i = 0; i < n; i++) f[i] = d[start + i*step];
    let k = 0;
    edge[0] = -Infinity, edge[1] = Infinity;
    for (let q = 1; q < n; q++) {
      let s;
      do s = (f[q] + q*q - f[at[k]] - at[k]*at[k])/(2*(q - at[k])); while (s <= edge[k] && k--);
      at[++k] = q, edge[k] = s, edge[k + 1] = Infinity;
    }
    for (let q = 0, j = 0; q < n; q++) {
      while (edge[j + 1] < q) j++;
      d[start + q*step] = Math.min(far, (q - at[j])**2 + f[at[j]]);
    }
  };
  for (let x = 0; x < w; x++) line(x, w, h);
  for (let y = 0; y < h; y++) line(y*w, 1, w);
  return d;
}

/** Connected parts where `inside` is not 0: labels from 1 as Int32Array, and each part's box {top, bottom, left, right}, ends excluded. */
export function label(inside, h, w, corners) {
  const labels = new Int32Array(h*w), boxes = [], stack = [];
  for (let seed = 0; seed < h*w; seed++) {
    if (!inside[seed] || labels[seed]) continue;
    const box = {top: h, bottom: 0, left: w, right: 0}, name = boxes.push(box);
    labels[seed] = name;
    stack.push(seed);
    while (stack.length) {
      const i = stack.pop(), y = Math.floor(i/w), x = i % w;
      box.top = Math.min(box.top, y), box.bottom = Math.max(box.bottom, y + 1);
      box.left = Math.min(box.left, x), box.right = Math.max(box.right, x + 1);
      for (let v = Math.max(0, y - 1); v <= Math.min(h - 1, y + 1); v++) for (let u = Math.max(0, x - 1); u <= Math.min(w - 1, x + 1); u++) {
        const j = v*w + u;
        if ((corners || u === x || v === y) && inside[j] && !labels[j]) labels[j] = name, stack.push(j);
      }
    }
  }
  return {labels, boxes};
}

/** `fill` where the mask is 1, `image` elsewhere, value for value. */
export function composite(image, fill, mask) {
  const out = image.slice(), n = mask.length;
  for (let i = 0; i < n; i++) if (mask[i]) for (let c = 0; c < 3*n; c += n) out[c + i] = Math.min(1, Math.max(0, fill[c + i]));
  return out;
}

/** Part of an image of `channels` × h × w, and the inverse. */
export function cut(data, h, w, {top, bottom, left, right}, channels = 3) {
  const rows = bottom - top, columns = right - left, out = new data.constructor(channels*rows*columns);
  for (let c = 0; c < channels; c++) for (let y = 0; y < rows; y++) {
    const from = c*h*w + (top + y)*w + left;
    out.set(data.subarray(from, from + columns), (c*rows + y)*columns);
  }
  return out;
}

/** How wide a ring is, of a picture whose shorter side has so many pixels. */
export const ringWidth = side => Math.max(1, roundEven(side/32));

/** Each connected hole gets the mean colour of the known ring around it, by default 1/32 of the shorter side wide. */
export function ringMean(image, mask, h, w, {reach = ringWidth(Math.min(h, w))} = {}) {
  const out = image.slice(), n = h*w;
  const {labels, boxes} = label(mask, h, w, true);
  boxes.forEach((box, k) => {
    const top = Math.max(0, box.top - reach), bottom = Math.min(h, box.bottom + reach), left = Math.max(0, box.left - reach), right = Math.min(w, box.right + reach);
    const columns = right - left, rows = bottom - top, wide = new Uint8Array(rows*columns), ring = new Uint8Array(rows*columns);
    for (let y = 0; y < rows; y++) for (let x = 0, last = -Infinity, next = 0; x < columns; x++) {  // along rows, then along columns
      const row = (top + y)*w + left;
      for (next = Math.max(next, x); next < columns && next <= x + reach && labels[row + next] !== k + 1; next++);
      if (labels[row + x] === k + 1) last = x;
      wide[y*columns + x] = x - last <= reach || (next < columns && next <= x + reach);
    }
    for (let x = 0; x < columns; x++) for (let y = 0, last = -Infinity, next = 0; y < rows; y++) {
      for (next = Math.max(next, y); next < rows && next <= y + reach && !wide[next*columns + x]; next++);
      if (wide[y*columns + x]) last = y;
      ring[y*columns + x] = y - last <= reach || (next < rows && next <= y + reach);
    }
    for (let c = 0; c < 3*n; c += n) {
      let sum = 0, count = 0;
      for (let i = 0; i < rows*columns; i++) {
        const at = (top + Math.floor(i/columns))*w + left + i % columns;
        if (ring[i] && !mask[at]) sum += image[c + at], count++;
      }
      for (let i = 0; i < n; i++) if (labels[i] === k + 1) out[c + i] = sum/count;
    }
  });
  return out;
}

/** Add to each value half of its two neighbours along each axis in turn. */
function hat(u, h, w) {
  const a = new Float64Array(u.length), b = new Float64Array(u.length);
  for (let i = 0; i < u.length; i++) { const x = i % w; a[i] = u[i] + ((x ? u[i - 1] : 0) + (x < w - 1 ? u[i + 1] : 0))/2; }
  for (let i = 0; i < u.length; i++) b[i] = a[i] + ((i >= w ? a[i - w] : 0) + (i < u.length - w ? a[i + w] : 0))/2;
  return b;
}

/** For each coarser scale, from fine to coarse, which points carry a hat that fits in the hole. */
function freePoints(hole, h, w) {
  const scales = [];
  let known = Uint8Array.from(hole, v => 1 - v);
  while (Math.min(h, w) > 2) {
    const H = Math.ceil(h/2), W = Math.ceil(w/2), coarse = new Uint8Array(H*W);
    for (let y = 0; y < H; y++) for (let x = 0; x < W; x++)
      for (let v = Math.max(0, 2*y - 1); v <= Math.min(h - 1, 2*y + 1); v++) for (let u = Math.max(0, 2*x - 1); u <= Math.min(w - 1, 2*x + 1); u++)
        if (known[v*w + u]) coarse[y*W + x] = 1;
    known = coarse, h = H, w = W;
    if (known.every(v => v)) break;
    scales.push({free: Float64Array.from(known, v => 1 - v), h, w});
  }
  return scales;
}

/** The residual heard at every scale at once (Bramble, Pasciak and Xu 1990). */
function allScales(residual, h, w, scales, level = 0) {
  if (level === scales.length) return residual;
  const {free, h: H, w: W} = scales[level], heard = hat(residual, h, w), coarse = new Float64Array(H*W), spread = new Float64Array(h*w);
  for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) coarse[y*W + x] = heard[2*y*w + 2*x]*free[y*W + x];
  const deeper = allScales(coarse, H, W, scales, level + 1);
  for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) spread[2*y*w + 2*x] = deeper[y*W + x];
  const out = hat(spread, h, w);
  for (let i = 0; i < out.length; i++) out[i] += residual[i];
  return out;
}

/** The smoothest fill: Laplace's equation in the hole, by conjugate gradients, to where no pixel misses its neighbours' mean by over `tol`. */
export async function harmonic(image, mask, h, w, {tick = async () => {}, tol = 1e-5} = {}) {
  const n = h*w, box = bounds(mask, h, w, 1), rows = box.bottom - box.top, columns = box.right - box.left, hole = cut(mask, h, w, box, 1);
  const part = cut(image, h, w, box), filled = new Float64Array(part.length), scales = freePoints(hole, rows, columns), m = rows*columns;
  const inside = hole.reduce((all, v, i) => (v && all.push(i), all), []);
  const dot = (a, b) => { let sum = 0; for (const i of inside) sum += a[i]*b[i]; return sum; };
  const slope = (u, i) => (i % columns ? u[i - 1] - u[i] : 0) + (i % columns < columns - 1 ? u[i + 1] - u[i] : 0) + (i >= columns ? u[i - columns] - u[i] : 0) + (i < m - columns ? u[i + columns] - u[i] : 0);
  for (let c = 0; c < 3; c++) {
    const u = Float64Array.from(part.subarray(c*m, (c + 1)*m), (v, i) => hole[i] ? 0 : v), residual = new Float64Array(m), push = new Float64Array(m);
    for (const i of inside) residual[i] = slope(u, i);
    let z = allScales(residual, rows, columns, scales), energy = dot(residual, z), first = 0;
    const direction = new Float64Array(m);
    for (const i of inside) direction[i] = z[i];
    for (let step = 0; step < 2000; step++) {
      let worst = 0;
      for (const i of inside) worst = Math.max(worst, Math.abs(residual[i]));
      first ||= worst;
      if (worst < 4*tol) break;
      await tick((c + Math.log(first/worst)/Math.log(first/(4*tol)))/3);
      for (const i of inside) push[i] = -slope(direction, i);
      const far = energy/Math.max(dot(direction, push), 1e-300);
      for (const i of inside) u[i] += far*direction[i], residual[i] -= far*push[i];
      z = allScales(residual, rows, columns, scales);
      const before = energy;
      energy = dot(residual, z);
      for (const i of inside) direction[i] = z[i] + energy/Math.max(before, 1e-300)*direction[i];
    }
    filled.set(u, c*m);
  }
  const out = image.slice();
  for (const i of inside) for (let c = 0; c < 3; c++) out[c*n + (box.top + Math.floor(i/columns))*w + box.left + i % columns] = Math.min(1, Math.max(0, filled[c*m + i]));
  return out;
}

/** The box of the hole with a margin, inside the picture. */
function bounds(mask, h, w, margin) {
  const box = {top: h, bottom: 0, left: w, right: 0};
  for (let i = 0; i < h*w; i++) if (mask[i]) {
    const y = Math.floor(i/w), x = i % w;
    box.top = Math.min(box.top, y), box.bottom = Math.max(box.bottom, y + 1), box.left = Math.min(box.left, x), box.right = Math.max(box.right, x + 1);
  }
  return grow(box, margin, h, w);
}

/** A box with a margin, inside the picture. */
export const grow = ({top, bottom, left, right}, margin, h, w) => ({top: Math.max(0, top - margin), bottom: Math.min(h, bottom + margin), left: Math.max(0, left - margin), right: Math.min(w, right + margin)});

/** What the network may see, [4, h, w]: the image in [-1, 1] with the hole at 0, and the mask. */
export function hide(image, mask) {
  const n = mask.length, seen = new Float32Array(4*n);
  for (let c = 0; c < 3; c++) for (let i = 0; i < n; i++) seen[c*n + i] = mask[i] ? 0 : 2*image[c*n + i] - 1;
  seen.set(mask, 3*n);
  return seen;
}

/** An image and its holes at half the side, rounded up: the mean of the known ones of four pixels, hidden if none is. */
function halve(image, mask, h, w) {
  const H = Math.ceil(h/2), W = Math.ceil(w/2), small = new Float32Array(3*H*W), hidden = new Uint8Array(H*W);
  for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) {
    const sum = [0, 0, 0];
    let count = 0;
    for (let v = 2*y; v < Math.min(h, 2*y + 2); v++) for (let u = 2*x; u < Math.min(w, 2*x + 2); u++) if (!mask[v*w + u]) {
      count++;
      for (let c = 0; c < 3; c++) sum[c] += image[c*h*w + v*w + u];
    }
    hidden[y*W + x] = count ? 0 : 1;
    if (count) for (let c = 0; c < 3; c++) small[c*H*W + y*W + x] = sum[c]/count;
  }
  return [small, hidden, H, W];
}

/** A value of one channel of h × w between its pixels, linear; beyond the middle of the outermost ones they repeat. */
export function between(data, start, h, w, y, x) {
  y = Math.min(h - 1, Math.max(0, y)), x = Math.min(w - 1, Math.max(0, x));
  const top = Math.floor(y), left = Math.floor(x), low = Math.min(h - 1, top + 1), right = Math.min(w - 1, left + 1), v = y - top, u = x - left;
  return (1 - v)*((1 - u)*data[start + top*w + left] + u*data[start + top*w + right]) + v*((1 - u)*data[start + low*w + left] + u*data[start + low*w + right]);
}

/** Draw large pictures in tiles, only around holes, each from what surrounds it: a network needs much memory for a large one. */
function inTiles(draw, margin, tile = 256, most = 384*384) {
  return async (image, mask, h, w, tick) => {
    if (h*w <= most) return draw(image, mask, h, w);
    const out = image.slice(), cores = [];
    for (let top = 0; top < h; top += tile) for (let left = 0; left < w; left += tile) {
      const core = {top, left, bottom: Math.min(h, top + tile), right: Math.min(w, left + tile)};
      const hole = bounds(cut(mask, h, w, core, 1), core.bottom - top, core.right - left, 0);
      if (hole.bottom) cores.push({top: top + hole.top, left: left + hole.left, bottom: top + hole.bottom, right: left + hole.right});
    }
    for (const [k, core] of cores.entries()) {
      await tick(k/cores.length);
      const room = grow(core, margin, h, w), rows = room.bottom - room.top, columns = room.right - room.left;
      const drawn = await draw(cut(image, h, w, room), cut(mask, h, w, room, 1), rows, columns);
      for (let y = core.top; y < core.bottom; y++) for (let x = core.left; x < core.right; x++) if (mask[y*w + x])
        for (let c = 0; c < 3; c++) out[c*h*w + y*w + x] = drawn[(c*rows + y - room.top)*columns + x - room.left];
    }
    return out;
  };
}

/** Fill with `draw`, at half the side first where a pixel lies deeper than a quarter of `size`, then an outer band again at the full one. */
async function coarseToFine(draw, image, mask, h, w, size, tick) {
  const depth = distanceSquared(mask, h, w);
  if (depth.reduce((a, b) => Math.max(a, b)) <= (size/4)**2) return draw(image, mask, h, w, tick);
  const [small, hidden, H, W] = halve(image, mask, h, w), coarse = await coarseToFine(draw, small, hidden, H, W, size, share => tick(share/3));
  const guess = image.slice(), band = new Uint8Array(h*w);
  for (let i = 0; i < h*w; i++) if (mask[i]) {
    const y = (Math.floor(i/w) - .5)/2, x = (i % w - .5)/2;
    for (let c = 0; c < 3; c++) guess[c*h*w + i] = between(coarse, c*H*W, H, W, y, x);
    band[i] = depth[i] <= (size/8)**2 ? 1 : 0;
  }
  return draw(guess, band, h, w, share => tick((1 + 2*share)/3));
}

/** An inpainter of any picture and hole from a network trained on `size` × `size` pictures: each group of neighbouring holes from what surrounds it, coarse to fine. */
export function anyHole(net, size) {
  const once = async (image, mask, h, w) => composite(image, (await net(hide(image, mask), h, w)).map(v => (v + 1)/2), mask), draw = inTiles(once, size/2);
  return async (image, mask, h, w, {tick = async () => {}} = {}) => {
    if (Math.max(h, w) <= size) return once(image, mask, h, w);
    const out = image.slice(), depth = distanceSquared(mask, h, w), near = distanceSquared(mask, h, w, v => !v).map(d => d < (size/8)**2 ? 1 : 0);
    const {labels, boxes} = label(near, h, w, false), deepest = boxes.map(() => 0);
    for (let i = 0; i < h*w; i++) if (mask[i]) deepest[labels[i] - 1] = Math.max(deepest[labels[i] - 1], depth[i]);
    for (const [k, box] of boxes.entries()) {
      const room = grow(box, Math.ceil(Math.max(size/2, 2*Math.sqrt(deepest[k]))), h, w), rows = room.bottom - room.top, columns = room.right - room.left;
      const filled = await coarseToFine(draw, cut(image, h, w, room), cut(mask, h, w, room, 1), rows, columns, size, share => tick((k + share)/boxes.length));
      for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
        const i = (room.top + y)*w + room.left + x;
        if (mask[i] && labels[i] === k + 1) for (let c = 0; c < 3; c++) out[c*h*w + i] = filled[c*rows*columns + y*columns + x];
      }
    }
    return out;
  };
}

/** PSNR inside the hole, dB. */
export function psnr(output, target, mask) {
  const n = mask.length;
  let sum = 0, count = 0;
  for (let i = 0; i < n; i++) if (mask[i]) for (let c = 0; c < 3*n; c += n) sum += (output[c + i] - target[c + i])**2, count++;
  return -10*Math.log10(Math.max(sum/count, 1e-10));
}

/** Bytes RGBA of a canvas as an image. */
export function toImage(bytes, n = bytes.length/4) {
  const image = new Float32Array(3*n);
  for (let c = 0; c < 3; c++) for (let i = 0; i < n; i++) image[c*n + i] = bytes[4*i + c]/255;
  return image;
}

/** An image as bytes RGBA, opaque in the hole alone. */
export function toBytes(image, mask, n = mask.length) {
  const bytes = new Uint8ClampedArray(4*n);
  for (let i = 0; i < n; i++) if (mask[i]) {
    for (let c = 0; c < 3; c++) bytes[4*i + c] = Math.round(255*image[c*n + i]);
    bytes[4*i + 3] = 255;
  }
  return bytes;
}
