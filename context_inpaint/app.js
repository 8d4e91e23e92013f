/** The painter in a notebook: draw a hole on a photo, have Python fill it, compare. Python's side is lesson 26, `context_inpaint.app`. */

const TINT = "#f24d99"; // the course's pink of holes
const MOST = 16_000_000; // pixels: phones refuse larger canvases, so on larger photos the mask is drawn smaller

const PART = 4_000_000; // bytes: a notebook server hangs up on messages of more than ten million

const make = (tag, set = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), set);
  node.append(...children);
  return node;
};
const picture = (bytes, type) => new Blob([bytes], { type });

/** Draw one operation on the mask: opaque where hidden, transparent where known. */
function draw(context, { tool, points, size, from, to, image }) {
  const { width, height } = context.canvas;
  context.globalCompositeOperation = tool === "erase" ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = TINT;
  if (tool === "clear") context.clearRect(0, 0, width, height);
  else if (tool === "mask") {
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, width, height);
    context.globalCompositeOperation = "source-in";
    context.fillRect(0, 0, width, height);
  } else if (tool === "box") {
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b), [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
    context.fillRect(Math.floor(left), Math.floor(top), Math.ceil(right) - Math.floor(left), Math.ceil(bottom) - Math.floor(top));
  } else {
    Object.assign(context, { lineCap: "round", lineJoin: "round", lineWidth: size });
    context.beginPath();
    context.arc(...points[0], size / 2, 0, 7);
    context.fill();
    context.beginPath();
    points.forEach((point) => context.lineTo(...point));
    context.stroke();
  }
}

/** Turn a mask file (bright = hole, transparent = known) into a canvas that is opaque in the hole. */
async function readMask(file, width, height) {
  let image;
  try { image = await createImageBitmap(file); } catch { throw Error(`${file.name} is not a picture that this browser can read`); }
  if (image.width !== width || image.height !== height)
    throw Error(`the mask ${file.name} is ${image.width}×${image.height} but the photo ${width}×${height} (width×height): make them equal`);
  const canvas = make("canvas", { width, height }), context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, width, height), { data } = pixels;
  for (let i = 0; i < data.length; i += 4) data[i + 3] = (data[i + 3] * (0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2])) / 255 < 127.5 ? 0 : 255;
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function render({ model, el }) {
  const mask = make("canvas"), view = make("canvas", { tabIndex: 0 });
  const onMask = mask.getContext("2d", { willReadFrequently: true }), onView = view.getContext("2d");
  let photo, scale, done = [], own, stored = Promise.resolve(), drawing, cursor, corner, tool = "brush", waiting, frame, links = [];

  const status = make("p", { className: "ci-status", role: "status" });
  const say = (text) => (status.textContent = text);
  const button = (text, title, onclick) => make("button", { type: "button", textContent: text, title, onclick });
  const tools = { brush: ["Brush", "paint a hole (B)"], box: ["Box", "drag from corner to corner (X)"], erase: ["Erase", "take away from the hole (E)"] };
  const toolButtons = Object.entries(tools).map(([name, [text, title]]) => Object.assign(button(text, title, () => choose(name)), { value: name }));
  const size = make("input", { type: "range", min: 1 }), sizeText = make("output");
  const pick = (text, accept, onfile) => {
    const input = make("input", { type: "file", accept, hidden: true, onchange: () => { if (input.files[0]) onfile(input.files[0]); input.value = ""; } });
    return [button(text, "", () => input.click()), input];
  };
  const checks = model.get("methods").map((name) => make("input", { type: "checkbox", value: name, checked: model.get("chosen").includes(name) }));
  const fill = Object.assign(button("Fill", "fill the hole with each method that is ticked", ask), { className: "ci-fill" });
  const results = make("div", { className: "ci-results" });
  const root = make("div", { className: "ci-painter" },
    make("div", { className: "ci-bar", role: "toolbar", ariaLabel: "painting" }, ...toolButtons, make("label", {}, "size ", size, sizeText),
      button("Undo", "take back the last step (Ctrl+Z)", undo), button("Clear", "remove the hole", () => add({ tool: "clear" })),
      ...pick("Load mask…", "image/*", loadMask), ...pick("Open photo…", "image/*", open)),
    view,
    make("div", { className: "ci-bar" }, fill, make("fieldset", {}, make("legend", { textContent: "with" }), ...checks.map((box) => make("label", {}, box, ` ${box.value}`)))),
    status, results,
    make("p", { className: "ci-keys", textContent: "Keys on the photo: arrows move, Space paints or sets a corner, [ and ] change the size, B, X, E choose the tool, Ctrl+Z takes back." }));
  root.dataset.lmSuppressShortcuts = "true"; // JupyterLab keeps its keys to itself in here

  function choose(name) {
    tool = name, corner = null;
    for (const b of toolButtons) b.ariaPressed = String(b.value === name);
    redraw();
  }
  function resized() {
    sizeText.textContent = ` ${size.value} px`;
    redraw();
  }
  function redraw() {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      if (!photo) return;
      const k = view.width / mask.width;
      onView.drawImage(photo, 0, 0, view.width, view.height);
      onView.globalAlpha = 0.6;
      onView.drawImage(mask, 0, 0, view.width, view.height);
      onView.globalAlpha = 1;
      const box = drawing?.tool === "box" ? [drawing.from, drawing.to] : corner && cursor ? [corner, cursor] : null;
      for (const [colour, width] of [["#000", 3], ["#fff", 1]]) {
        Object.assign(onView, { strokeStyle: colour, lineWidth: width });
        if (box) onView.strokeRect(box[0][0] * k, box[0][1] * k, (box[1][0] - box[0][0]) * k, (box[1][1] - box[0][1]) * k);
        if (!cursor) continue;
        onView.beginPath();
        onView.arc(cursor[0] * k, cursor[1] * k, tool === "box" ? 4 : (Math.max(size.value * scale, 4) * k) / 2, 0, 7);
        onView.stroke();
      }
    });
  }
  /** Send the mask to Python as a PNG; `stored` is fulfilled when it is on its way. */
  function store() {
    stored = new Promise((then) => mask.toBlob(async (blob) => {
      own = new DataView(await blob.arrayBuffer());
      model.set("mask", own);
      model.save_changes();
      then();
    }));
    redraw();
  }
  function add(operation) {
    done.push(operation);
    draw(onMask, operation);
    store();
  }
  function undo() {
    if (done.length < 2) return say("Nothing to take back.");
    done.pop();
    done.forEach((operation) => draw(onMask, operation));
    store();
    say("");
  }
  /** Begin anew with the photo and the mask that Python has. */
  async function start() {
    const [width, height] = model.get("size");
    const shown = await createImageBitmap(picture(model.get("photo"), "image/jpeg"));
    const image = await createImageBitmap(picture(model.get("mask"), "image/png"));
    if (photo === undefined || mask.dataset.photo !== `${width}×${height}`) {
      scale = Math.min(1, Math.sqrt(MOST / (width * height)));
      Object.assign(mask, { width: Math.round(width * scale), height: Math.round(height * scale) });
      Object.assign(size, { max: Math.max(2, Math.round(Math.min(width, height) / 2)), value: Math.max(1, Math.round(Math.min(width, height) / 12)) });
      mask.dataset.photo = `${width}×${height}`;
    }
    Object.assign(view, { width: shown.width, height: shown.height, ariaLabel: `a photo of ${width} by ${height} pixels: paint a hole on it` });
    view.setAttribute("role", "application");
    view.style.width = `min(100%, ${(75 * width) / height}vh, ${Math.max(shown.width, 480)}px)`;
    photo = shown, done = [{ tool: "mask", image }], cursor = corner = null;
    draw(onMask, done[0]);
    resized();
  }

  const at = (event) => {
    const box = view.getBoundingClientRect(), clamp = (v, most) => Math.min(Math.max(v, 0), most);
    return [clamp((event.clientX - box.left) / box.width, 1) * mask.width, clamp((event.clientY - box.top) / box.height, 1) * mask.height];
  };
  view.onpointerdown = (event) => {
    if (event.button || !photo) return;
    event.preventDefault();
    view.focus({ preventScroll: true });
    try { view.setPointerCapture(event.pointerId); } catch {} // a synthetic pointer cannot be captured
    cursor = corner = null;
    const point = at(event);
    drawing = tool === "box" ? { tool, from: point, to: point } : { tool, size: size.value * scale, points: [point] };
    if (tool !== "box") draw(onMask, drawing);
    redraw();
  };
  view.onpointermove = (event) => {
    if (!drawing) return;
    if (drawing.tool === "box") drawing.to = at(event);
    else {
      const before = drawing.points.length, events = event.getCoalescedEvents?.() ?? [];
      for (const e of events.length ? events : [event]) drawing.points.push(at(e));
      draw(onMask, { ...drawing, points: drawing.points.slice(before - 1) });
    }
    redraw();
  };
  view.onpointerup = view.onpointercancel = () => {
    if (!drawing) return;
    const finished = drawing;
    drawing = null;
    if (finished.tool === "box") return add(finished);
    done.push(finished);
    store();
  };
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  view.onkeydown = (event) => {
    const letters = { b: "brush", x: "box", e: "erase" }, key = event.key.toLowerCase();
    if (!photo) return;
    if ((event.ctrlKey || event.metaKey) && key === "z") undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (arrows[event.key]) {
      const step = event.shiftKey ? 1 : Math.max(1, (size.value * scale) / 2), [dx, dy] = arrows[event.key];
      cursor ??= [mask.width / 2, mask.height / 2];
      cursor = [Math.min(Math.max(cursor[0] + dx * step, 0), mask.width), Math.min(Math.max(cursor[1] + dy * step, 0), mask.height)];
    } else if (key === " " || key === "enter") {
      cursor ??= [mask.width / 2, mask.height / 2];
      if (tool !== "box") add({ tool, size: size.value * scale, points: [cursor] });
      else if (corner) add({ tool, from: corner, to: cursor }), (corner = null);
      else corner = cursor;
    } else if (key === "escape") cursor = corner = null;
    else if (key === "[" || key === "]") (size.value = Math.round(size.value * (key === "]" ? 1.25 : 0.8)) + (key === "]" ? 1 : -1)), resized();
    else if (letters[key]) choose(letters[key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    redraw();
  };
  view.onblur = () => { cursor = corner = null; redraw(); };
  size.oninput = resized;

  async function loadMask(file) {
    try { add({ tool: "mask", image: await readMask(file, ...model.get("size")) }); say(""); } catch (error) { say(error.message); }
  }
  async function open(file) {
    say(`opening ${file.name}…`);
    const bytes = await file.arrayBuffer(), parts = Math.max(1, Math.ceil(bytes.byteLength / PART));
    for (let i = 0; i < parts; i++) model.send({ do: "open", name: file.name, left: parts - 1 - i }, undefined, [bytes.slice(i * PART, (i + 1) * PART)]);
  }
  async function ask() {
    await stored;
    model.send({ do: "fill", methods: checks.filter((box) => box.checked).map((box) => box.value) });
  }
  function show() {
    links.forEach(URL.revokeObjectURL);
    links = [];
    results.replaceChildren(...model.get("results").map(({ name, note, jpeg }) => {
      links.push(URL.createObjectURL(picture(jpeg, "image/jpeg")));
      return make("figure", {}, make("img", { src: links.at(-1), alt: `filled with ${name}` }),
        make("figcaption", {}, make("b", { textContent: name }), ` ${note} `, button("Save PNG", `save what ${name} made, at full size`, () => { waiting = name; model.send({ do: "save", name }); })));
    }));
  }
  function receive(message, buffers) {
    if (message.save === undefined || message.save !== waiting) return;
    waiting = null;
    const href = URL.createObjectURL(picture(buffers[0], "image/png"));
    make("a", { href, download: `filled-${message.save.replace(/[^\w-]+/g, "-")}.png` }).click();
    setTimeout(URL.revokeObjectURL, 60_000, href);
  }
  const failed = (error) => say(`The photo cannot be shown: ${error.message}`);
  const heard = {
    "change:photo": () => start().catch(failed), "change:mask": () => model.get("mask") !== own && start().catch(failed),
    "change:results": show, "change:status": () => say(model.get("status")), "change:busy": () => (fill.disabled = model.get("busy")), "msg:custom": receive };
  for (const [event, react] of Object.entries(heard)) model.on(event, react);
  choose("brush");
  show();
  say(model.get("status"));
  start().catch(failed);
  el.append(root);
  return () => {
    for (const [event, react] of Object.entries(heard)) model.off(event, react);
    links.forEach(URL.revokeObjectURL);
  };
}

export default { render };
