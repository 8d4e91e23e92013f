// The page: a picture, a hole painted on it, and what each method puts there. Filling itself is in fill.js, run by worker.js.
import {between, psnr, toBytes, toImage} from "./fill.js";

const $ = id => document.getElementById(id), SIDE = 512, SMALLEST = 16, PINK = [242, 77, 153];
const number = n => n.toLocaleString("en"), canvas = $("canvas"), pen = canvas.getContext("2d", {willReadFrequently: true});
const NAMES = {"ring-mean": "Ring mean", harmonic: "Harmonic"};
let whole, bytes, image, w, h;                 // the picture at its own size (a canvas); what is worked on: RGBA bytes and floats
let base, box, past = [], nudged = false;      // the mask without the box; the box {left, top, width, height} or null; for undo
let tool = "box", tip = null, drag = null, round = 0, result = null;

// ---- what the page says

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

class Complaint extends Error {}  // what the reader can mend, in words

/** Make an event handler whose failures are said in words. */
const guarded = f => async (...given) => {
  try { await f(...given); } catch (error) {
    if (!(error instanceof Complaint)) console.warn(error);
    say(error instanceof Complaint ? error.message : `That did not work: ${error.message}`, true);
  }
};

// ---- the worker

const worker = new Worker("worker.js", {type: "module"}), waiting = new Map();
worker.onmessage = ({data: {id, result, error}}) => {
  const {resolve, reject} = waiting.get(id);
  waiting.delete(id);
  error === undefined ? resolve(result) : reject(new Error(error));
};
let broken = null;
worker.onerror = event => {
  broken = new Error(event.message || "the page's worker could not start; reload the page");
  for (const {reject} of waiting.values()) reject(broken);
};
const ask = (what, rest) => new Promise((resolve, reject) => {
  if (broken) return reject(broken);
  const id = ++ask.count;
  waiting.set(id, {resolve, reject});
  worker.postMessage({id, what, ...rest});
});
ask.count = 0;

// ---- the picture

/** A canvas on white, as large as `most` pixels and this browser allow. */
function canvasFor(source, width, height, most) {
  for (const limit of [most, 16.7e6, 4e6]) {
    const scale = Math.min(1, Math.sqrt(limit/(width*height))), made = document.createElement("canvas");
    made.width = Math.max(1, Math.floor(scale*width)), made.height = Math.max(1, Math.floor(scale*height));
    const context = made.getContext("2d");
    if (!context) continue;
    context.fillStyle = "#fff", context.imageSmoothingQuality = "high";
    context.fillRect(0, 0, made.width, made.height);
    context.drawImage(source, 0, 0, made.width, made.height);
    try { if (context.getImageData(made.width - 1, made.height - 1, 1, 1).data[3] === 255) return made; } catch { /* too large: try a smaller one */ }
  }
  throw new Complaint("This picture is too large for this browser. Choose a smaller one.");
}

/** Take a file or a drawn scene as the picture to work on. */
async function open(blob, name, hole = false) {
  if (blob.size > 150e6) throw new Complaint(`${name} has ${Math.round(blob.size/1e6)} MB, which is too large. Choose a picture of at most 150 MB.`);
  let source;
  try { source = await createImageBitmap(blob); } catch { throw new Complaint(`${name} is not a picture this browser can read. Choose a JPEG, PNG, WebP or GIF.`); }
  const {width, height} = source, scale = Math.min(1, SIDE/Math.max(width, height));
  if (Math.min(width, height)*scale < SMALLEST) throw new Complaint(`${name} has ${width}×${height} pixels, which is too small or too narrow. Choose a picture of at least ${SMALLEST}×${SMALLEST}.`);
  whole = canvasFor(source, width, height, 40e6);
  w = Math.round(scale*width), h = Math.round(scale*height);
  canvas.width = w, canvas.height = h;
  canvas.style.width = `${Math.round(w*Math.min(SIDE/Math.max(w, h), 4))}px`;
  pen.fillStyle = "#fff", pen.imageSmoothingQuality = "high";
  pen.fillRect(0, 0, w, h);
  pen.drawImage(source, 0, 0, w, h);
  source.close();
  bytes = pen.getImageData(0, 0, w, h).data, image = toImage(bytes);
  base = new Uint8Array(w*h), past = [], tip = null, result = null;
  box = hole ? centred() : null;
  $("results").replaceChildren();
  $("about").hidden = $("save").disabled = true;
  draw();
  say(`${name}: ${number(whole.width)}×${number(whole.height)} pixels${whole.width < width ? ` (reduced from ${number(width)}×${number(height)})` : ""}. ${hole ? "Press Fill, or paint another hole." : "Paint what should be filled."}`);
}

/** A box in the middle, a sixth of the sides. */
const centred = () => ({left: Math.round(5*w/12), top: Math.round(5*h/12), width: Math.round(w/6), height: Math.round(h/6)});

// ---- the hole

function mask() {
  const all = base.slice();
  if (box) for (let y = box.top; y < box.top + box.height; y++) all.fill(1, y*w + box.left, y*w + box.left + box.width);
  return all;
}

function remember() {
  past.push({base: base.slice(), box: box && {...box}});
  if (past.length > 100) past.shift();
}

function fix() {
  base = mask(), box = null;
}

/** Paint or erase a disc's way from one point to another, in pixels. */
function stroke(from, to) {
  const reach = radius(), value = tool === "brush" ? 1 : 0, dx = to.x - from.x, dy = to.y - from.y, length = dx*dx + dy*dy;
  for (let y = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach)); y < Math.min(h, Math.max(from.y, to.y) + reach + 1); y++)
    for (let x = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach)); x < Math.min(w, Math.max(from.x, to.x) + reach + 1); x++) {
      const t = length ? Math.min(1, Math.max(0, ((x + .5 - from.x)*dx + (y + .5 - from.y)*dy)/length)) : 0;
      if ((x + .5 - from.x - t*dx)**2 + (y + .5 - from.y - t*dy)**2 <= reach*reach) base[y*w + x] = value;
    }
}

const radius = () => Math.max(.8, $("brush-size").value/200*Math.max(w, h));

function draw() {
  const shown = new ImageData(bytes.slice(), w, h), hole = mask();
  for (let i = 0; i < hole.length; i++) if (hole[i]) for (let c = 0; c < 3; c++) shown.data[4*i + c] = .15*shown.data[4*i + c] + .85*PINK[c];
  pen.putImageData(shown, 0, 0);
  $("box").hidden = !box, $("cursor").hidden = tool === "box" || !tip;
  if (box) place($("box"), box.left, box.top, box.width, box.height);
  if (tip) place($("cursor"), tip.x - radius(), tip.y - radius(), 2*radius(), 2*radius());
  $("undo").setAttribute("aria-disabled", !past.length);
}

function place(element, left, top, width, height) {
  for (const [side, value] of Object.entries({left: left/w, top: top/h, width: width/w, height: height/h})) element.style[side] = `${100*value}%`;
}

function choose(name) {
  tool = name, tip = null;
  for (const other of ["box", "brush", "erase"]) $(`tool-${other}`).setAttribute("aria-pressed", other === name);
  draw();
}

// ---- mouse, pen and finger

const at = event => {
  const place = canvas.getBoundingClientRect();
  return {x: (event.clientX - place.left)/place.width*w, y: (event.clientY - place.top)/place.height*h};
};

canvas.addEventListener("pointerdown", event => {
  if (!event.isPrimary || event.button) return;
  event.preventDefault();
  canvas.focus({preventScroll: true});
  canvas.setPointerCapture(event.pointerId);
  const from = at(event);
  remember();
  if (tool === "box") {
    const inside = box && from.x >= box.left && from.x < box.left + box.width && from.y >= box.top && from.y < box.top + box.height;
    if (inside) drag = {from, moved: {...box}};
    else fix(), drag = {from};
  } else fix(), stroke(from, from), drag = {from}, tip = from;
  draw();
});

canvas.addEventListener("pointermove", event => {
  const to = at(event);
  if (tool !== "box") tip = to;
  if (!drag) return tool !== "box" && draw();
  if (tool !== "box") stroke(drag.from, to), drag.from = to;
  else if (drag.moved) box = inPicture({...drag.moved, left: Math.round(drag.moved.left + to.x - drag.from.x), top: Math.round(drag.moved.top + to.y - drag.from.y)});
  else {
    const edge = (a, most) => Math.min(most, Math.max(0, Math.round(a))), x = [edge(drag.from.x, w), edge(to.x, w)].sort((a, b) => a - b), y = [edge(drag.from.y, h), edge(to.y, h)].sort((a, b) => a - b);
    box = x[1] > x[0] && y[1] > y[0] ? {left: x[0], top: y[0], width: x[1] - x[0], height: y[1] - y[0]} : null;
  }
  draw();
});

canvas.addEventListener("touchstart", event => event.preventDefault(), {passive: false});  // painting is no swipe: the next tap must count
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, event => { drag = null; if (event.pointerType === "touch") tip = null; draw(); });
canvas.addEventListener("pointerleave", () => { if (!drag && tip) tip = null, draw(); });

function inPicture({left, top, width, height}) {
  width = Math.min(w, Math.max(1, width)), height = Math.min(h, Math.max(1, height));
  return {left: Math.min(w - width, Math.max(0, left)), top: Math.min(h - height, Math.max(0, top)), width, height};
}

// ---- keys

canvas.addEventListener("keydown", event => {
  const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key], step = Math.max(1, Math.round(Math.max(w, h)/64));
  const undo = event.key.toLowerCase() === "z";
  if (!way && !undo && ![" ", "Enter"].includes(event.key) || event.altKey || (event.ctrlKey || event.metaKey) && !undo) return;
  event.preventDefault();
  if (undo) $("undo").click();
  else if (event.key === "Enter") $("fill").click();
  else if (way && tool === "box") {
    if (!nudged) remember();
    nudged = true;
    const [x, y] = way.map(v => v*step);
    box = !box ? centred() : event.shiftKey ? inPicture({...box, width: Math.min(box.width + x, w - box.left), height: Math.min(box.height + y, h - box.top)}) : inPicture({...box, left: box.left + x, top: box.top + y});
  } else if (way) tip = {x: Math.min(w, Math.max(0, (tip?.x ?? w/2) + way[0]*step)), y: Math.min(h, Math.max(0, (tip?.y ?? h/2) + way[1]*step))};
  else {
    remember();
    fix();
    if (tool !== "box") tip ??= {x: w/2, y: h/2}, stroke(tip, tip);
  }
  draw();
});
for (const end of ["keyup", "blur"]) canvas.addEventListener(end, () => { nudged = false; });

// ---- filling

async function fill() {
  const hole = mask(), hidden = hole.reduce((a, b) => a + b), mine = ++round;
  if (!hidden) throw new Complaint("There is no hole yet: paint one on the picture first.");
  if (hidden === w*h) throw new Complaint("The whole picture is hidden: leave something to fill it from. Undo, or use the eraser.");
  const given = {image, mask: hole, w, h}, began = performance.now();
  result = null, $("save").disabled = true;
  say("Filling…");
  $("results").replaceChildren(...methods.map(({name, label}) => figure(name, label)), figure("", "Original", bytes));
  $("about").hidden = false;
  for (const {name} of methods) {
    if (!(name in NAMES) && !await networks[name]) { captioned(name, ["cannot run here"]); continue; }
    const {filled, ms} = await ask("fill", {name, ...given});
    if (mine !== round || given.image !== image) return;  // another picture or hole meanwhile
    const out = toBytes(filled);
    let same = 0;
    for (let i = 0; i < w*h; i++) same += !hole[i] && out[4*i] === bytes[4*i] && out[4*i + 1] === bytes[4*i + 1] && out[4*i + 2] === bytes[4*i + 2];
    paint(name, out);
    captioned(name, [`PSNR in the hole: ${psnr(filled, image, hole).toFixed(1)} dB`, `known pixels unchanged: ${number(same)} of ${number(w*h - hidden)}`, `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`]);
    if (!(name in NAMES)) result = {filled, hole}, $("save").disabled = false;
  }
  say(result ? `Filled ${number(hidden)} pixels in ${Math.round(performance.now() - began)} ms. Compare below.` : `${trouble} Ring mean and harmonic are below.`, !result);
}

function figure(name, title, pixels) {
  const made = document.createElement("figure"), picture = document.createElement("canvas"), caption = document.createElement("figcaption"), strong = document.createElement("b");
  if (name) made.className = "result", made.dataset.method = name;
  picture.width = w, picture.height = h;
  picture.setAttribute("role", "img"), picture.setAttribute("aria-label", name ? `The picture filled by ${title}` : "The original picture");
  if (pixels) picture.getContext("2d").putImageData(new ImageData(pixels.slice(), w, h), 0, 0);
  strong.textContent = title;
  caption.append(strong);
  made.append(picture, caption);
  return made;
}

const find = name => document.querySelector(`.result[data-method="${name}"]`);
const paint = (name, pixels) => find(name).querySelector("canvas").getContext("2d").putImageData(new ImageData(pixels, w, h), 0, 0);
const captioned = (name, lines) => find(name).querySelector("figcaption").append(...lines.map(line => Object.assign(document.createElement("span"), {textContent: line})));

/** Put the fill, enlarged, into the picture at its own size; count the known pixels that stayed. */
function pasted({filled, hole}) {
  const made = document.createElement("canvas"), W = made.width = whole.width, H = made.height = whole.height, context = made.getContext("2d"), original = whole.getContext("2d");
  context.drawImage(whole, 0, 0);
  let same = 0, known = 0;
  for (let top = 0; top < H; top += 256) {
    const rows = Math.min(256, H - top), before = original.getImageData(0, top, W, rows).data, part = new ImageData(before.slice(), W, rows), out = part.data;
    for (let y = 0; y < rows; y++) for (let x = 0; x < W; x++) {
      const v = (top + y + .5)/H*h, u = (x + .5)/W*w, j = 4*(y*W + x);
      if (hole[Math.floor(v)*w + Math.floor(u)]) for (let c = 0; c < 3; c++) out[j + c] = Math.round(255*between(filled, c*w*h, h, w, v - .5, u - .5));
    }
    context.putImageData(part, 0, top);
    const after = context.getImageData(0, top, W, rows).data;
    for (let y = 0; y < rows; y++) for (let x = 0; x < W; x++) {
      const j = 4*(y*W + x);
      if (hole[Math.floor((top + y + .5)/H*h)*w + Math.floor((x + .5)/W*w)]) continue;
      known++, same += after[j] === before[j] && after[j + 1] === before[j + 1] && after[j + 2] === before[j + 2];
    }
  }
  return {made, same, known};
}

async function save() {
  if (!result) throw new Complaint("There is nothing to save yet: press Fill first.");
  const {made, same, known} = pasted(result), blob = await new Promise(done => made.toBlob(done, "image/png"));
  if (!blob) throw new Complaint("This browser could not write so large a picture.");
  const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob), download: "filled.png"});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`Saved filled.png, ${number(made.width)}×${number(made.height)}. Known pixels unchanged: ${number(same)} of ${number(known)}.`);
}

// ---- wiring

for (const name of ["box", "brush", "erase"]) $(`tool-${name}`).addEventListener("click", () => choose(name));
$("undo").addEventListener("click", () => { const last = past.pop(); if (last) ({base, box} = last); else say("There is nothing to undo."); draw(); });
$("clear").addEventListener("click", () => { remember(); base = new Uint8Array(w*h), box = null; draw(); });
$("fill").addEventListener("click", guarded(fill));
$("save").addEventListener("click", guarded(save));
$("brush-size").addEventListener("input", draw);
for (const id of ["file", "camera"]) $(id).addEventListener("change", guarded(async ({target}) => {
  const [file] = target.files;
  if (file) await open(file, file.name || "The photograph").finally(() => { target.value = ""; });
}));
document.addEventListener("dragover", event => { event.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", event => { if (!event.relatedTarget) document.body.classList.remove("over"); });
document.addEventListener("drop", guarded(async event => {
  event.preventDefault();
  document.body.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (!file) throw new Complaint("Drop a picture file; this was something else.");
  await open(file, file.name);
}));
document.addEventListener("paste", guarded(async event => {
  const [file] = event.clipboardData.files;
  if (!file) throw new Complaint("The clipboard holds no picture: copy one first.");
  await open(file, "The pasted picture");
}));

const scene = guarded(async ({file, label}) => open(await (await fetch(file)).blob(), label, true));
const {methods: shipped, scenes} = await (await fetch("demo.json")).json();
const methods = [...Object.entries(NAMES).map(([name, label]) => ({name, label})), ...shipped];
let trouble = "";
const networks = Object.fromEntries(shipped.map(({name, file, size}) => [name, ask("load", {name, file, size}).then(() => true, error => {
  console.warn(error);
  trouble = typeof WebAssembly === "object" ? `The network could not be loaded (${error.message}).` : "The network needs WebAssembly, which this browser does not have or has switched off.";
  say(`${trouble} Ring mean and harmonic still work.`, true);
  return false;
})]));
for (const each of scenes) {
  const button = Object.assign(document.createElement("button"), {type: "button", title: each.label}), picture = Object.assign(new Image(), {src: each.file, alt: each.label});
  button.append(picture);
  button.addEventListener("click", () => scene(each));
  $("samples").append(button);
}
window.demo = {
  ready: Promise.all(Object.values(networks)).then(all => { if (!all.every(Boolean)) throw new Error(trouble); }),
  run: (image, mask, h, w, name = shipped[0].name) => ask("run", {name, image, mask, h, w}),
  fill: (name, image, mask, h, w) => ask("fill", {name, image, mask, h, w}).then(({filled}) => filled)};
demo.ready.catch(() => {});
await scene(scenes[0]);
if ("serviceWorker" in navigator) demo.ready.catch(() => {}).then(() => navigator.serviceWorker.register("sw.js")).then(() => navigator.serviceWorker.ready).then(() => { $("offline").hidden = false; }, error => console.warn(error));
