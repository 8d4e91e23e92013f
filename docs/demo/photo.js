// The photo at its own size: opened, cut to what surrounds each hole, saved with what fills it.
import {canvas} from "./mask.js";
import {grow, label, ringWidth, toBytes, toImage} from "./fill.js";

const SMALLEST = 16, GRID = 512, MARGIN = 40;
const MOST = matchMedia("(any-pointer: coarse)").matches ? 1.5e6 : 4e6;  // pixels that a method is given at once: memory is short on phones
const number = n => n.toLocaleString("en");

/** What the reader can mend, in words. */
export class Complaint extends Error {}

/** A canvas as large as `most` pixels and this browser allow. */
function canvasFor(source, width, height, most = 40e6) {
  for (const limit of [most, 16.7e6, 4e6]) {
    const scale = Math.min(1, Math.sqrt(limit/(width*height))), made = canvas(Math.max(1, Math.floor(scale*width)), Math.max(1, Math.floor(scale*height)));
    const context = made.getContext("2d");
    if (!context) continue;
    context.fillRect(made.width - 1, made.height - 1, 1, 1);
    try { if (context.getImageData(made.width - 1, made.height - 1, 1, 1).data[3] !== 255) continue; } catch { continue; }  // too large: try a smaller one
    context.clearRect(made.width - 1, made.height - 1, 1, 1);
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, made.width, made.height);
    return made;
  }
  throw new Complaint("This picture is too large for this browser. Choose a smaller one.");
}

/** Read a picture file: its canvas, name, type, and what is to be said about its size. */
export async function openPhoto(blob, name) {
  if (blob.size > 150e6) throw new Complaint(`${name} has ${Math.round(blob.size/1e6)} MB, which is too large. Choose a picture of at most 150 MB.`);
  let source;
  try { source = await createImageBitmap(blob); } catch { throw new Complaint(`${name} is not a picture this browser can read. Choose a JPEG, PNG, WebP or GIF.`); }
  const {width, height} = source;
  if (Math.min(width, height) < SMALLEST) throw new Complaint(`${name} has ${width}×${height} pixels, which is too small. Choose a picture of at least ${SMALLEST}×${SMALLEST}.`);
  const made = canvasFor(source, width, height);
  source.close();
  const reduced = made.width < width ? ` (reduced from ${number(width)}×${number(height)})` : "";
  return {canvas: made, name, type: blob.type, size: `${number(made.width)}×${number(made.height)} pixels${reduced}`};
}

/** For each group of neighbouring holes of a painter, boxes in pixels of the photo: of the group, and of what surrounds it, as any method wants to see it. */
function groups({mask}, {width, height}) {
  const cell = Math.ceil(Math.max(mask.width, mask.height)/GRID), w = Math.ceil(mask.width/cell), h = Math.ceil(mask.height/cell);
  const near = new Uint8Array(w*h), holes = [], reach = Math.ceil(MARGIN/4/cell), context = mask.getContext("2d");
  for (let top = 0; top < mask.height; top += cell) {
    const rows = Math.min(cell, mask.height - top), pixels = context.getImageData(0, top, mask.width, rows).data;
    for (let i = 3; i < pixels.length; i += 4) if (pixels[i] >= 128) {
      const x = (i >> 2) % mask.width, y = top + Math.floor((i >> 2)/mask.width), at = Math.floor(y/cell)*w + Math.floor(x/cell);
      const hole = holes[at] ??= {at, top: y, bottom: y + 1, left: x, right: x + 1};
      hole.bottom = y + 1, hole.left = Math.min(hole.left, x), hole.right = Math.max(hole.right, x + 1);
    }
  }
  holes.forEach(({at}) => {
    const box = grow({top: Math.floor(at/w), bottom: Math.floor(at/w) + 1, left: at % w, right: at % w + 1}, reach, h, w);
    for (let y = box.top; y < box.bottom; y++) near.fill(1, y*w + box.left, y*w + box.right);
  });
  const {labels} = label(near, h, w, true), found = [], sx = width/mask.width, sy = height/mask.height;
  holes.forEach(({at, top, bottom, left, right}) => {
    const box = found[labels[at]] ??= {top: height, bottom: 0, left: width, right: 0};
    box.top = Math.min(box.top, Math.floor(top*sy)), box.bottom = Math.min(height, Math.max(box.bottom, Math.ceil(bottom*sy)));
    box.left = Math.min(box.left, Math.floor(left*sx)), box.right = Math.min(width, Math.max(box.right, Math.ceil(right*sx)));
  });
  return found.filter(Boolean).map(box => {
    const margin = Math.max(MARGIN, ringWidth(Math.min(width, height)) + 1, Math.min(box.bottom - box.top, box.right - box.left) + MARGIN);
    return {box, room: grow(box, margin, height, width)};
  });
}

const sides = ({top, bottom, left, right}) => [right - left, bottom - top];

/** A part of the picture, scaled: drawn by `paint` in pixels of the photo. */
function part(box, scale, paint) {
  const [width, height] = sides(box), made = canvas(Math.max(1, Math.round(width*scale)), Math.max(1, Math.round(height*scale)));
  const context = made.getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.setTransform(made.width/width, 0, 0, made.height/height, -box.left*made.width/width, -box.top*made.height/height);
  paint(context);
  context.setTransform(1, 0, 0, 1, 0, 0);
  return context;
}

/** The photo with its fills. */
function paintPicture(context, photo, layers) {
  context.drawImage(photo.canvas, 0, 0);
  context.globalCompositeOperation = "source-atop";  // where the photo is transparent it stays so
  for (const {image, box} of layers) context.drawImage(image, box.left, box.top, ...sides(box));
  context.globalCompositeOperation = "source-over";
}

function paintMask(context, photo, mask) {
  context.imageSmoothingEnabled = false;
  context.drawImage(mask, 0, 0, photo.canvas.width, photo.canvas.height);
}

const pixelsOf = context => context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;
const holeOf = bytes => Uint8Array.from({length: bytes.length/4}, (_, i) => bytes[4*i + 3] >= 128 ? 1 : 0);

/**
 * What methods are given of a picture and its hole: for each group of holes {image, mask, h, w, reach}, beside its places {box, room}, the hole at the
 * photo's own pixels, `own`, and what it hides, `truth`. `scale` < 1 where a hole is so huge that its surroundings are looked at from farther away.
 */
export function cutHoles(painter, photo) {
  const ring = ringWidth(Math.min(photo.canvas.width, photo.canvas.height));
  return groups(painter, photo.canvas).map(({box, room}) => {
    const [width, height] = sides(room), scale = Math.min(1, Math.sqrt(MOST/(width*height)));
    const paint = context => {
      paintPicture(context, photo, painter.layers);
      context.globalCompositeOperation = "destination-over", context.fillStyle = "#fff";
      context.fillRect(room.left, room.top, width, height);
    };
    const own = holeOf(pixelsOf(part(box, 1, context => paintMask(context, photo, painter.mask))));
    let truth = part(room, scale, paint), seen = truth, hole = part(room, scale, context => paintMask(context, photo, painter.mask));
    if (scale < 1) {  // a pixel is the mean of the known ones in its place, hidden if most are
      const known = part(room, 1, paint);
      known.globalCompositeOperation = "destination-out", known.imageSmoothingEnabled = false;
      known.drawImage(part(room, 1, context => paintMask(context, photo, painter.mask)).canvas, 0, 0);
      seen = part(room, scale, context => context.drawImage(known.canvas, room.left, room.top));
      hole = part(room, scale, context => context.fillRect(room.left, room.top, width, height));
      hole.globalCompositeOperation = "destination-out";
      hole.drawImage(seen.canvas, 0, 0);
    }
    const {width: w, height: h} = seen.canvas;
    return {box, room, scale, own, truth: toImage(pixelsOf(truth)), image: toImage(pixelsOf(seen)), mask: holeOf(pixelsOf(hole)), w, h, reach: Math.max(1, Math.round(ring*scale))};
  });
}

/** What a method made of a cut hole, as a layer of a painter: its pixels in the hole, transparent elsewhere. */
export function toLayer({box, room, scale, own, mask, w, h}, filled, painter, photo) {
  const whole = canvas(w, h), [width, height] = sides(box);
  whole.getContext("2d").putImageData(new ImageData(toBytes(filled, scale < 1 ? mask.map(() => 1) : mask), w, h), 0, 0);
  const context = part(box, 1, context => context.drawImage(whole, room.left, room.top, ...sides(room)));
  const pixels = context.getImageData(0, 0, width, height);
  for (let i = 0; i < own.length; i++) pixels.data[4*i + 3] = own[i] ? 255 : 0;
  context.putImageData(pixels, 0, 0);
  const sx = painter.mask.width/photo.canvas.width, sy = painter.mask.height/photo.canvas.height;
  return {image: context.canvas, box, x: box.left*sx, y: box.top*sy, width: width*sx, height: height*sy};
}

/** The whole picture with its fills as a file: JPEG where the photo was one, else PNG, which keeps every known pixel. */
export async function savePhoto(photo, layers, type = photo.type === "image/jpeg" ? photo.type : "image/png") {
  const {width, height} = photo.canvas, context = part({top: 0, left: 0, bottom: height, right: width}, 1, context => paintPicture(context, photo, layers));
  const blob = await new Promise(done => context.canvas.toBlob(done, type, .95));
  if (!blob) throw new Complaint("This browser could not write so large a picture.");
  return {blob, name: `${photo.name.replace(/\.[^.]*$/, "")}-filled.${type === "image/jpeg" ? "jpg" : "png"}`};
}

/** Offer a file. */
export function download(blob, name) {
  const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob), download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
