import { readMask, writeMask } from "./mask.js";
import { createPainter } from "./paint.js";

/** The painter in a notebook: draw a hole on a photo, have Python fill it, compare. Python's side is `context_inpaint.app`. */

const PART = 4_000_000; // bytes: a notebook server hangs up on messages of more than ten million
const PATIENCE = 5000; // milliseconds after which a kernel that has said nothing is busy or gone
const KEYS = "Keys: B, X and E choose the tool, [ and ] its size, + − 0 zoom, Ctrl+Z undoes, Ctrl+Shift+Z redoes. On the photo arrows " +
  "move, Space paints or sets a corner; held down it drags the photo. Wheel or two fingers zoom.";
const SILENT = "Python has not answered: it is busy with another cell, or was restarted. If it was, run this cell again.";

/** Make an element; in JupyterLab and Notebook 7 no key pressed in it reaches the notebook, where X cuts a cell. */
function make(tag, set = {}, ...children) {
  const node = Object.assign(document.createElement(tag), set);
  node.dataset.lmSuppressShortcuts = "true"; // they look at the focused element first, so each needs it
  node.append(...children);
  return node;
}

const group = (...children) => make("span", { className: "ci-group" }, ...children);
const button = (text, title, onclick) => make("button", { type: "button", textContent: text, title, onclick });

/** Offer bytes as a file; the link is in the document, since VS Code hears no other. */
function download(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(URL.revokeObjectURL, 60_000, link.href);
}

/** What Python reads stays as it is; a GIF's first picture, or what only the browser reads, becomes a PNG. */
async function readable(file) {
  if (!/^image\/(gif|heic|heif|avif)|^$/.test(file.type) || /\.(jpe?g|png|webp|tiff?|bmp)$/i.test(file.name)) return file;
  let image;
  try { image = await createImageBitmap(file); } catch {
    throw Error(`${file.name} is not a picture this browser can read. Choose a JPEG, PNG, WebP or GIF.`);
  }
  const canvas = make("canvas", { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function render({ model, el }) {
  const view = make("canvas", { tabIndex: 0 });
  const painter = createPainter(view, { changed: store, chosen, sized });
  let own, stored = Promise.resolve(), begun = 0, saving, silence, links = [];

  const status = make("p", { className: "ci-status", role: "status" });
  const say = (text) => (status.textContent = text);
  const guarded = (act) => async (...given) => { try { await act(...given); } catch (error) { say(error.message); } };
  const pick = (text, title, onfile) => {
    const take = () => { if (input.files[0]) onfile(input.files[0]); input.value = ""; };
    const input = make("input", { type: "file", accept: "image/*", hidden: true, onchange: take });
    return [button(text, title, () => input.click()), input];
  };
  const choose = (name) => (event) => { painter.choose(name); if (event.detail) view.focus(); };
  const tool = (value, text, title) => Object.assign(button(text, title, choose(value)), { value });
  const tools = [tool("brush", "Brush", "paint a hole (B)"), tool("box", "Box", "drag from corner to corner (X)"),
    tool("erase", "Erase", "take away from the hole (E)")];
  const size = make("input", { type: "range", min: 2, max: 200, oninput: () => painter.resize(+size.value) });
  const sizeText = make("output");
  const tick = (value) => make("input", { type: "checkbox", value, checked: model.get("chosen").includes(value) });
  const checks = model.get("methods").map(tick);
  const fill = button("Fill", "fill the hole with each method that is ticked (Enter on the photo)", guarded(ask));
  fill.className = "ci-fill";
  const cancel = Object.assign(button("Cancel", "stop filling", () => model.send({ do: "cancel" })), { hidden: true });
  const bar = make("progress", { max: 1, hidden: true, ariaLabel: "how much is filled" });
  const results = make("div", { className: "ci-results" });
  const root = make("div", { className: "ci-painter", tabIndex: -1 },
    make("div", { className: "ci-bar", role: "toolbar", ariaLabel: "painting" },
      group(...tools),
      make("label", {}, "size ", size, sizeText),
      group(button("Undo", "take back the last step (Ctrl+Z)", () => painter.undo() || say("Nothing to take back.")),
        button("Redo", "do it again (Ctrl+Shift+Z)", () => painter.redo() || say("Nothing to do again.")),
        button("Clear", "remove the hole", () => painter.add({ tool: "clear" }))),
      group(button("−", "zoom out (−)", () => painter.zoom(0.8)), button("Fit", "show the whole photo (0)", painter.fit),
        button("+", "zoom in (+)", () => painter.zoom(1.25)))),
    view,
    make("div", { className: "ci-bar" }, fill, cancel, bar,
      make("fieldset", {}, make("legend", { textContent: "with" }), ...checks.map((box) => make("label", {}, box, box.value)))),
    status, results,
    make("div", { className: "ci-bar" }, ...pick("Open photo…", "or drop one here, or paste one", guarded(open)),
      ...pick("Load mask…", "a picture as large as the photo, white where the hole is", guarded(loadMask)),
      button("Save mask", "a PNG, white where the hole is", guarded(saveMask))),
    make("p", { className: "ci-keys", textContent: KEYS }));

  function chosen(name) { for (const each of tools) each.ariaPressed = String(each.value === name); }
  function sized(pixels) {
    size.value = pixels;
    sizeText.textContent = ` ${pixels} px`;
  }
  /** Send the mask to Python as a PNG; `stored` is fulfilled when it is on its way. */
  function store() {
    say("");
    stored = new Promise((then) => painter.mask.toBlob(async (blob) => {
      own = new DataView(await blob.arrayBuffer());
      model.set("mask", own);
      model.save_changes();
      then();
    }));
  }
  /** Begin anew with the photo and the mask that Python has. */
  async function start() {
    const mine = ++begun, [width, height] = model.get("size");
    const decode = (data, type) => createImageBitmap(new Blob([data], { type }));
    const [shown, image] = await Promise.all([decode(model.get("photo"), "image/jpeg"), decode(model.get("mask"), "image/png")]);
    if (mine !== begun) return; // another photo meanwhile
    const ratio = Math.min(3, Math.max(0.5, width / height));
    view.style.aspectRatio = ratio;
    view.style.width = `min(100%, ${75 * ratio}vh, ${Math.max(shown.width, 480)}px)`;
    view.ariaLabel = `a photo of ${width} by ${height} pixels: paint a hole on it`;
    painter.open(shown, width, height, image);
  }

  async function loadMask(file) { painter.add({ tool: "mask", image: await readMask(file, ...model.get("size")) }); }
  async function saveMask() { download(await writeMask(painter.mask, ...model.get("size")), "mask.png"); }
  async function open(file) {
    const bytes = await (await readable(file)).arrayBuffer(), parts = Math.max(1, Math.ceil(bytes.byteLength / PART));
    wait(`opening ${file.name}…`);
    for (let i = 0; i < parts; i++)
      model.send({ do: "open", name: file.name, left: parts - 1 - i }, undefined, [bytes.slice(i * PART, (i + 1) * PART)]);
  }
  async function ask() {
    if (model.get("busy")) return wait("Python is still at work…");
    results.classList.add("ci-old");
    wait("asking Python to fill…");
    await stored;
    model.send({ do: "fill", methods: checks.filter((box) => box.checked).map((box) => box.value) });
  }
  /** Say what is being waited for, until Python says anything, or that it says nothing. */
  function wait(text) {
    say(text);
    clearTimeout(silence);
    silence = setTimeout(say, PATIENCE, SILENT);
  }
  function busy() {
    const at = model.get("busy");
    clearTimeout(silence);
    fill.ariaDisabled = String(at);
    cancel.hidden = !(at && model.get("cancellable"));
    if (!at) results.classList.remove("ci-old");
    say(model.get("status"));
    advance();
  }
  function advance() {
    const share = model.get("progress");
    bar.hidden = !model.get("busy") || !(share > 0);
    if (share > 0) bar.value = share;
  }
  function show() {
    links.forEach(URL.revokeObjectURL);
    links = [];
    results.replaceChildren(...model.get("results").map(({ name, note, jpeg }) => {
      links.push(URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" })));
      const save = button("Save PNG", `save what ${name} made, at full size`, () => {
        saving = name;
        wait(`saving what ${name} made…`);
        model.send({ do: "save", name });
      });
      return make("figure", {}, make("img", { src: links.at(-1), alt: `filled with ${name}` }),
        make("figcaption", {}, make("b", { textContent: name }), ` ${note} `, save));
    }));
  }
  function receive(message, buffers) {
    if (message.save === undefined || message.save !== saving) return;
    saving = null;
    download(new Blob([buffers[0]], { type: "image/png" }), `filled-${message.save.replace(/[^\w-]+/g, "-")}.png`);
  }

  const failed = (error) => say(`The photo cannot be shown: ${error.message}`), over = (on) => root.classList.toggle("ci-over", on);
  root.onkeydown = (event) => {
    if (painter.keydown(event)) return;
    if (event.key === "Enter" && event.target === view) event.preventDefault(), fill.click();
    if (event.key !== "Tab") event.stopPropagation(); // nor do notebooks that listen higher up hear it
  };
  root.ondragover = (event) => { event.preventDefault(); event.stopPropagation(); over(true); };
  root.ondragleave = (event) => root.contains(event.relatedTarget) || over(false);
  root.ondrop = root.onpaste = guarded(async (event) => {
    event.preventDefault();
    event.stopPropagation();
    over(false);
    const [file] = (event.dataTransfer ?? event.clipboardData).files;
    if (!file) throw Error("That was no picture file.");
    await open(file);
  });
  const heard = {
    "change:photo": () => start().catch(failed), "change:mask": () => model.get("mask") !== own && start().catch(failed),
    "change:results": show, "change:status": () => { clearTimeout(silence); say(model.get("status")); },
    "change:busy": busy, "change:progress": advance, "msg:custom": receive };
  for (const [event, react] of Object.entries(heard)) model.on(event, react);
  el.append(root);
  painter.choose("brush");
  painter.resize(40);
  show();
  busy();
  start().catch(failed);
  return () => {
    for (const [event, react] of Object.entries(heard)) model.off(event, react);
    clearTimeout(silence);
    links.forEach(URL.revokeObjectURL);
    painter.close();
  };
}

export default { render };
