// The page: a photo, a hole painted on it, what methods put there. Painting is in paint.js, cutting and saving in photo.js, filling in worker.js.
import {readMask, writeMask} from "./mask.js";
import {createPainter} from "./paint.js";
import {Complaint, cutHoles, download, openPhoto, savePhoto, toLayer} from "./photo.js";
import {psnr} from "./fill.js";

const $ = id => document.getElementById(id), view = $("canvas"), number = n => n.toLocaleString("en");
const painter = createPainter(view, {changed, chosen, sized: size => { $("brush-size").value = size; }});
painter.wheels = true;
let photo, opened = 0, job = null, method;  // job: the request that is being worked on, or null

// ---- what the page says

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

/** Make an event handler whose failures are said in words. */
const guarded = f => async (...given) => {
  try { await f(...given); } catch (error) {
    if (!(error instanceof Complaint)) console.warn(error);
    say(error instanceof Complaint ? error.message : `That did not work: ${error.message}`, true);
  }
};

// ---- the worker

const worker = new Worker("worker.js", {type: "module"}), waiting = new Map();
let broken = null, count = 0;
worker.onmessage = ({data: {id, progress, result, error}}) => {
  const {resolve, reject, tick} = waiting.get(id);
  if (progress !== undefined) return tick?.(progress);
  waiting.delete(id);
  error === undefined ? resolve(result) : reject(new Error(error));
};
worker.onerror = event => {
  broken = new Error(event.message || "the page's worker could not start; reload the page");
  for (const {reject} of waiting.values()) reject(broken);
};
/** Ask the worker; `began` is told the request's number, `tick` its progress. */
const ask = (what, rest, {began, tick} = {}) => new Promise((resolve, reject) => {
  if (broken) return reject(broken);
  const id = ++count;
  waiting.set(id, {resolve, reject, tick});
  began?.(id);
  worker.postMessage({id, what, ...rest});
});

// ---- the photo

async function open(blob, name, {hole, label} = {}) {
  const mine = ++opened, next = await openPhoto(blob, name);
  if (mine !== opened) return;  // another photo meanwhile
  cancel();
  photo = next;
  const {width, height} = photo.canvas, shorter = Math.min(width, height);
  view.style.aspectRatio = Math.min(4, Math.max(.6, width/height));
  painter.open(photo.canvas, width, height);
  for (const {points, from, to, size} of hole ?? []) {
    const at = ([x, y]) => [x*painter.mask.width, y*painter.mask.height];
    painter.add(points ? {tool: "brush", points: points.map(at), size: size*painter.mask.height} : {tool: "box", from: at(from), to: at(to)});
  }
  show();
  say(`${label ?? name}: ${photo.size}${shorter < 64 ? ", which is little to go on" : ""}. ${hole ? "Press Fill, or paint another hole." : "Paint over what should go."}`);
}

// ---- filling: a fill is an operation of the painter, {tool: "fill", holes, made}; `made` has layers and a caption for each method

const isFill = () => painter.last?.tool === "fill";

/** Have a method fill holes that are cut out; return its layers and what is said of it. */
async function work(name, holes) {
  const layers = [], began = performance.now();
  let error = 0, pixels = 0;
  busy(true);
  try {
    for (const [k, hole] of holes.entries()) {
      const {image, mask, h, w, reach} = hole, all = mask.every(v => v);
      if (all) throw new Complaint("The whole picture is hidden: leave something to fill it from. Undo, or use the eraser.");
      const {filled} = await ask("fill", {name, image, mask, h, w, reach}, {began: id => { job = id; }, tick: share => { $("progress").value = (k + share)/holes.length; }});
      const hidden = mask.reduce((a, b) => a + b);
      error += hidden*10**(-psnr(filled, hole.truth, mask)/10), pixels += hidden;
      layers.push(toLayer(hole, filled, painter, photo));
    }
  } finally { busy(false); }
  const ms = performance.now() - began, time = ms < 1000 ? `${Math.round(ms)} ms` : `${(ms/1000).toFixed(1)} s`;
  return {layers, time, caption: `${(-10*Math.log10(error/pixels)).toFixed(1)} dB, ${time}`};
}

async function fill() {
  if (job) return;
  const holes = cutHoles(painter, photo), name = method, hidden = holes.reduce((sum, {own}) => sum + own.reduce((a, b) => a + b), 0);
  if (!holes.length) throw new Complaint("There is no hole yet: paint one on the photo first.");
  await ready[name];
  const made = await attempt(name, holes);
  if (!made) return;
  painter.add({tool: "fill", holes, made: {[name]: made}, layers: made.layers});
  say(`Filled ${number(hidden)} pixels in ${made.time}. Compare, try another method, save, or paint on.`);
}

/** Try to fill; undefined if it was cancelled. */
async function attempt(name, holes) {
  say(`Filling with ${labels[name]}…`);
  try { return await work(name, holes); } catch (error) {
    if (error.message !== "cancelled") throw error;
    say("Cancelled: the hole is still there.");
  }
}

/** Choose a method: if a fill is the last thing done, show what this one makes of the same holes. */
async function use(name) {
  method = name;
  if (!isFill()) return;
  cancel();
  const operation = painter.last;
  await ready[name];
  const made = operation.made[name] ??= await attempt(name, operation.holes);
  if (!made || painter.last !== operation || method !== name) return;
  painter.swap(made.layers);
  show();
  say(`${labels[name]}: ${made.caption}.`);
}

function cancel() { if (job) worker.postMessage({cancel: job}); }
function busy(on) {
  if (!on) job = null;
  $("cancel").hidden = $("progress").hidden = !on;
  $("fill").hidden = on;
  $("progress").value = 0;
}

// ---- what is shown

function chosen(tool) { for (const name of ["box", "brush", "erase"]) $(`tool-${name}`).setAttribute("aria-pressed", name === tool); }
function changed() {
  cancel();  // what is being filled is another hole now
  painter.split = $("split").value = 0;
  show();
}
function show() {
  const filled = painter.layers.length > 0;
  $("undo").setAttribute("aria-disabled", !painter.canUndo), $("redo").setAttribute("aria-disabled", !painter.canRedo);
  $("save").disabled = $("copy").disabled = $("hold").disabled = !filled;
  $("compare").style.visibility = filled ? "visible" : "hidden";
  for (const {name} of methods) $(`made-${name}`).textContent = isFill() ? painter.last.made[name]?.caption ?? "" : "";
}
function compare(share) {
  painter.split = share;
  painter.redraw();
}

// ---- wiring

for (const name of ["box", "brush", "erase"]) $(`tool-${name}`).addEventListener("click", event => { painter.choose(name); if (event.detail) view.focus({preventScroll: true}); });
$("undo").addEventListener("click", () => { if (!painter.undo()) say("There is nothing to undo."); });
$("redo").addEventListener("click", () => { if (!painter.redo()) say("There is nothing to redo."); });
$("clear").addEventListener("click", () => { painter.add({tool: "clear"}); say("The photo as it came. Undo brings back what was done."); });
for (const [id, act] of Object.entries({smaller: () => painter.zoom(.8), fit: painter.fit, larger: () => painter.zoom(1.25), cancel})) $(id).addEventListener("click", act);
$("brush-size").addEventListener("input", event => painter.resize(+event.target.value));
$("split").addEventListener("input", event => compare(event.target.value/100));
const hold = () => painter.layers.length && compare(1), release = () => compare($("split").value/100), isPress = event => event.key === " " || event.key === "Enter";
$("hold").addEventListener("pointerdown", hold);
for (const name of ["pointerup", "pointercancel", "pointerleave", "blur"]) $("hold").addEventListener(name, release);
$("hold").addEventListener("contextmenu", event => event.preventDefault());
$("hold").addEventListener("keydown", event => isPress(event) && hold());
$("hold").addEventListener("keyup", event => isPress(event) && release());
document.addEventListener("keydown", event => {
  if (painter.keydown(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.target === view) $("fill").click();
  if (event.key.toLowerCase() === "c") hold();
});
document.addEventListener("keyup", event => { if (event.key.toLowerCase() === "c") release(); });

$("fill").addEventListener("click", guarded(fill));
$("save").addEventListener("click", guarded(async () => {
  const {blob, name} = await savePhoto(photo, painter.layers);
  download(blob, name);
  say(`Saved ${name}, ${photo.size}.`);
}));
$("copy").addEventListener("click", guarded(async () => {
  if (!navigator.clipboard?.write) throw new Complaint("This browser cannot copy pictures: save it instead.");
  await navigator.clipboard.write([new ClipboardItem({"image/png": savePhoto(photo, painter.layers, "image/png").then(({blob}) => blob)})]);
  say("Copied: paste it where you like.");
}));
$("mask-save").addEventListener("click", guarded(async () => download(await writeMask(painter.mask, photo.canvas.width, photo.canvas.height), `${photo.name.replace(/\.[^.]*$/, "")}-mask.png`)));
const picked = (id, take) => $(id).addEventListener("change", guarded(async ({target}) => {
  const [file] = target.files;
  if (file) await take(file).finally(() => { target.value = ""; });
}));
for (const id of ["file", "camera"]) picked(id, file => open(file, file.name || "photograph.jpg"));
picked("mask-file", async file => {
  const image = await readMask(file, photo.canvas.width, photo.canvas.height).catch(error => { throw new Complaint(error.message); });
  painter.add({tool: "mask", image});
  say(`${file.name} is the hole now.`);
});
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
  await open(file, file.name || "pasted.png");
}));

// ---- the beginning

const {methods, samples} = await (await fetch("demo.json")).json(), labels = Object.fromEntries(methods.map(({name, label}) => [name, label]));
let trouble = "";
const load = each => ask("load", each).catch(error => {
  console.warn(error);
  trouble = typeof WebAssembly === "object" ? `The network could not be loaded (${error.message}).` : "The network needs WebAssembly, which this browser does not have or has switched off.";
  $(`method-${each.name}`).disabled = true;
  const other = methods.find(({file}) => !file);
  $(`method-${other.name}`).checked = true, method = other.name;
  say(`${trouble} ${other.label} still works.`, true);
});
for (const {name, label, about} of methods) {
  const row = document.createElement("label"), radio = Object.assign(document.createElement("input"), {type: "radio", name: "method", value: name, id: `method-${name}`});
  radio.checked = name === methods[0].name;
  radio.addEventListener("change", guarded(() => use(name)));
  row.title = about;
  row.append(radio, label, Object.assign(document.createElement("small"), {id: `made-${name}`}));
  $("methods").append(row);
}
method = methods[0].name;
const ready = Object.fromEntries(methods.filter(({file}) => file).map(each => [each.name, load(each)]));
const sample = guarded(async ({file, label, hole}) => open(await (await fetch(file)).blob(), file, {label, hole}));
for (const each of samples) {
  const button = Object.assign(document.createElement("button"), {type: "button", title: each.label}), picture = Object.assign(new Image(), {src: each.file, alt: each.label});
  button.append(picture);
  button.addEventListener("click", () => sample(each));
  $("samples").append(button);
}
window.demo = {
  painter, ready: Promise.all(Object.values(ready)).then(() => { if (trouble) throw new Error(trouble); }),
  run: (image, mask, h, w, name = "unet") => ask("run", {name, image, mask, h, w}),
  fill: (name, image, mask, h, w) => ask("fill", {name, image, mask, h, w}).then(({filled}) => filled)};
demo.ready.catch(() => {});
painter.choose("brush"), painter.resize(40);
await sample(samples[0]);
if ("serviceWorker" in navigator) demo.ready.catch(() => {}).then(() => navigator.serviceWorker.register("sw.js")).then(() => navigator.serviceWorker.ready).then(() => { $("offline").hidden = false; }, error => console.warn(error));
