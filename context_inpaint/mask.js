/** Masks of both painters: what is painted on them, and their files. A mask is a canvas, opaque in the hole, transparent elsewhere. */

const TINT = "#f24d99"; // the course's pink of holes

/** What an operation may leave on the mask without regard to what was there before. */
export const RESETS = ["mask", "clear", "fill"];

/** Make a canvas. */
export function canvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Draw an operation on the mask: opaque in the hole, transparent elsewhere. */
export function draw(context, { tool, points, size, from, to, image }) {
  const { width, height } = context.canvas;
  context.globalCompositeOperation = tool === "erase" ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = TINT;
  if (RESETS.includes(tool)) context.clearRect(0, 0, width, height);
  if (tool === "mask") {
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, width, height);
    context.globalCompositeOperation = "source-in";
    context.fillRect(0, 0, width, height);
  } else if (tool === "box") {
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b), [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
    context.fillRect(Math.floor(left), Math.floor(top), Math.ceil(right) - Math.floor(left), Math.ceil(bottom) - Math.floor(top));
  } else if (points) {
    Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: size });
    context.beginPath();
    context.arc(...points[0], size / 2, 0, 7);
    context.fill();
    context.beginPath();
    points.forEach((point) => context.lineTo(...point));
    context.stroke();
  }
}

/** Read a mask file (bright = hole, transparent = known) as a canvas that is opaque in the hole; it must be as large as the photo. */
export async function readMask(file, width, height) {
  let image;
  try { image = await createImageBitmap(file); } catch { throw Error(`${file.name} is not a picture that this browser can read`); }
  if (image.width !== width || image.height !== height)
    throw Error(`the mask ${file.name} is ${image.width}×${image.height} but the photo ${width}×${height} (width×height): make them equal`);
  const made = canvas(width, height), context = made.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, width, height), { data } = pixels;
  for (let i = 0; i < data.length; i += 4) {
    const bright = (data[i + 3] * (0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2])) / 255;
    data[i + 3] = bright < 127.5 ? 0 : 255;
  }
  context.putImageData(pixels, 0, 0);
  return made;
}

/** Return a mask as the PNG that `readMask` and the command line take: white = hole on black, at the photo's size. */
export function writeMask(mask, width, height) {
  const made = canvas(width, height), context = made.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(mask, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height), { data } = pixels;
  for (let i = 0; i < data.length; i += 4) {
    data[i] = data[i + 1] = data[i + 2] = data[i + 3] < 128 ? 0 : 255;
    data[i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return new Promise((done) => made.toBlob(done, "image/png"));
}
