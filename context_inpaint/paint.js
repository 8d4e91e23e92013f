import { RESETS, canvas, draw } from "./mask.js";

/**
 * The core of both painters, the notebook's and the live demo's: a photo to zoom and pan, a mask to paint on it with mouse, pen,
 * fingers or keys, and what can be taken back. Coordinates are pixels of the mask, which is as large as the photo or, where that
 * is more than browsers bear, smaller.
 */

const MOST = 16_000_000; // pixels: phones refuse larger canvases
const SMALL = 2000; // pixels: a copy of this width is shown while the photo is far away, smooth and fast
const TOOLS = { b: "brush", x: "box", e: "erase" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TYPED = "textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio], [type=file])";

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * Make a painter of a canvas that can be focused and whose size the page sets.
 *
 * `painter.layers` lie on the photo: {image, x, y, width, height}, in pixels of the mask. `painter.split` is the share of the view,
 * from the left, that shows the photo without them.
 * @param {HTMLCanvasElement} view what is seen and painted on
 * @param {object} heard functions to call: `changed()` after the mask or the layers did, `chosen(tool)`, `sized(pixels)`
 */
export function createPainter(view, { changed = () => {}, chosen = () => {}, sized = () => {} } = {}) {
  const mask = canvas(1, 1), onMask = mask.getContext("2d", { willReadFrequently: true });
  const tint = canvas(1, 1), onTint = tint.getContext("2d"), onView = view.getContext("2d");
  const pointers = new Map(); // where in the view the fingers or buttons are that are down
  let photo, small, done = [], undone = [], layers = [], frame;
  let drawing, cursor, corner, byKeys, space, panning, penned; // what is going on
  let k = 1, x = 0, y = 0, whole = true; // a pixel of the mask is k wide in the view, and the first one lies at x, y; all is in view
  const painter = {
    mask, tool: "brush", size: 40, split: 0, wheels: false,
    open, add, swap, undo, redo, choose, resize, zoom, fit, redraw, keydown, close,
    get layers() { return layers; },
    get last() { return done.at(-1); },
    get canUndo() { return done.length > 1; },
    get canRedo() { return undone.length > 0; },
    toView: ([u, v]) => [x + u * k, y + v * k],
  };

  /** Begin with a photo (anything that can be drawn), its full size, and the hole to begin with. */
  function open(source, width, height, image = null) {
    const scale = Math.min(1, Math.sqrt(MOST / (width * height)));
    mask.width = Math.max(1, Math.round(width * scale));
    mask.height = Math.max(1, Math.round(height * scale));
    photo = small = source;
    const reduce = SMALL / Math.max(source.width, source.height);
    if (reduce < 1) {
      small = canvas(Math.ceil(source.width * reduce), Math.ceil(source.height * reduce));
      const context = Object.assign(small.getContext("2d"), { imageSmoothingQuality: "high" });
      context.drawImage(source, 0, 0, small.width, small.height);
    }
    done = [image ? { tool: "mask", image } : { tool: "clear" }];
    undone = [];
    drawing = cursor = corner = null;
    painter.split = 0;
    replay();
    fit();
  }

  // ---- what is done and undone

  function replay() {
    const begin = done.findLastIndex(({ tool }) => RESETS.includes(tool));
    for (const operation of done.slice(begin)) draw(onMask, operation);
    const cleared = done.findLastIndex(({ tool }) => tool === "clear");
    layers = done.slice(Math.max(0, cleared)).flatMap((operation) => operation.layers ?? []);
    redraw();
  }
  /** Do an operation of `draw`, or {tool: "fill", layers}: the hole goes, and what fills it lies on the photo. */
  function add(operation) {
    done.push(operation);
    undone = [];
    corner = null;
    if (RESETS.includes(operation.tool)) replay();
    else draw(onMask, operation);
    redraw();
    changed();
  }
  /** Put other layers in the place of those of the last operation, a fill. */
  function swap(others) {
    done.at(-1).layers = others;
    replay();
  }
  const shift = (from, to) => {
    to.push(from.pop());
    corner = null;
    replay();
    changed();
    return true;
  };
  function undo() { return !drawing && painter.canUndo && shift(done, undone); }
  function redo() { return !drawing && painter.canRedo && shift(undone, done); }

  // ---- how it is seen

  const room = () => [view.clientWidth, view.clientHeight];
  const middle = () => room().map((side) => side / 2);
  const least = () => Math.min(room()[0] / mask.width, room()[1] / mask.height) || 1;
  function place(toX, toY, scale = k) {
    const [width, height] = room();
    const inside = (to, have, want) => (want <= have ? (have - want) / 2 : clamp(to, have - want, 0));
    k = scale;
    whole = k <= least() * 1.001;
    x = inside(toX, width, mask.width * k);
    y = inside(toY, height, mask.height * k);
    redraw();
  }
  /** Show the whole photo. */
  function fit() { place(0, 0, least()); }
  /** Zoom around a place of the view. */
  function zoom(factor, [u, v] = middle()) {
    const to = clamp(k * factor, least(), Math.max(least(), 8));
    place(u - ((u - x) * to) / k, v - ((v - y) * to) / k, to);
  }
  function redraw() { frame ??= requestAnimationFrame(render); }
  function render() {
    frame = null;
    const [width, height] = room(), dense = Math.min(2, devicePixelRatio || 1), split = painter.split * width;
    for (const each of [view, tint]) Object.assign(each, { width: Math.round(width * dense), height: Math.round(height * dense) });
    if (!photo || !width) return;
    for (const context of [onView, onTint]) {
      context.setTransform(dense * k, 0, 0, dense * k, dense * x, dense * y);
      context.imageSmoothingEnabled = dense * k < 6;
    }
    onView.drawImage(small.width < mask.width * k * dense * 0.9 ? photo : small, 0, 0, mask.width, mask.height);
    onView.save();
    onView.beginPath();
    onView.rect((split - x) / k, -y / k, (width - split) / k, height / k);
    onView.clip();
    onView.globalCompositeOperation = "source-atop"; // where the photo is transparent, so are they
    for (const layer of layers) onView.drawImage(layer.image, layer.x, layer.y, layer.width, layer.height);
    onView.restore();
    onTint.drawImage(mask, 0, 0);
    if (drawing) draw(onTint, drawing);
    onView.setTransform(1, 0, 0, 1, 0, 0);
    onView.globalAlpha = 0.6;
    if (painter.split < 1) onView.drawImage(tint, 0, 0);
    onView.globalAlpha = 1;
    onView.setTransform(dense, 0, 0, dense, 0, 0);
    outline(split, width, height);
  }
  /** Draw the brush's edge, the box's and the line between before and after, white on black. */
  function outline(split, width, height) {
    const box = drawing?.tool === "box" ? [drawing.from, drawing.to] : corner && cursor && [corner, cursor];
    for (const [strokeStyle, lineWidth] of [["#000", 3], ["#fff", 1.5]]) {
      Object.assign(onView, { strokeStyle, lineWidth });
      onView.beginPath();
      if (painter.split > 0 && painter.split < 1) onView.moveTo(split, 0), onView.lineTo(split, height);
      if (box) onView.rect(...painter.toView(box[0]), (box[1][0] - box[0][0]) * k, (box[1][1] - box[0][1]) * k);
      onView.stroke();
      onView.beginPath();
      if (cursor && !panning) onView.arc(...painter.toView(cursor), painter.tool === "box" ? 4 : painter.size / 2, 0, 7);
      onView.stroke();
    }
  }

  // ---- tools

  function choose(name) {
    painter.tool = name;
    corner = null;
    chosen(name);
    redraw();
  }
  /** Set the width of brush and eraser, in pixels of the screen. */
  function resize(size) {
    painter.size = clamp(Math.round(size), 2, 300);
    sized(painter.size);
    redraw();
  }
  const thick = () => Math.max(1, painter.size / k);

  // ---- mouse, pen and fingers: one paints, two zoom and pan

  const spot = (event) => {
    const box = view.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const inPhoto = ([u, v]) => [clamp(u, 0, mask.width), clamp(v, 0, mask.height)];
  const at = ([u, v]) => [(u - x) / k, (v - y) / k];

  function down(event) {
    if (!photo) return;
    event.preventDefault();
    view.focus({ preventScroll: true });
    try { view.setPointerCapture(event.pointerId); } catch {} // a synthetic pointer cannot be captured
    penned ||= event.pointerType === "pen";
    pointers.set(event.pointerId, spot(event));
    corner = null;
    byKeys = false;
    const resting = penned && event.pointerType === "touch"; // the hand that holds the pen
    const erases = event.button === 5, point = at(spot(event));
    if (pointers.size > 1) panning = true, (drawing = null);
    else if (space || resting || event.button === 1) panning = true, (space &&= "used");
    else if (event.button && !erases) pointers.delete(event.pointerId);
    else if (painter.tool === "box" && !erases) drawing = { tool: "box", from: inPhoto(point), to: inPhoto(point) };
    else drawing = { tool: erases ? "erase" : painter.tool, size: thick(), points: [point] };
    cursor = drawing?.points ? point : null;
    redraw();
  }
  function move(event) {
    const now = spot(event), before = [...pointers.values()], isDown = pointers.has(event.pointerId);
    if (isDown) pointers.set(event.pointerId, now);
    if (!isDown) cursor = photo && event.pointerType !== "touch" ? at(now) : null, (byKeys = false);
    else if (panning) follow(before, [...pointers.values()]);
    else if (drawing?.tool === "box") drawing.to = inPhoto(at(now));
    else if (drawing) {
      const events = event.getCoalescedEvents?.() ?? [];
      drawing.points.push(...(events.length ? events : [event]).map((each) => at(spot(each))));
      cursor = drawing.points.at(-1);
    }
    redraw();
  }
  /** The photo follows the middle of the fingers and grows with their distance. */
  function follow(before, after) {
    const mean = (points, i) => points.reduce((sum, point) => sum + point[i], 0) / points.length;
    const apart = ([p, q]) => Math.max(8, Math.hypot(p[0] - q[0], p[1] - q[1]));
    place(x + mean(after, 0) - mean(before, 0), y + mean(after, 1) - mean(before, 1));
    if (after.length === 2) zoom(apart(after) / apart(before), [mean(after, 0), mean(after, 1)]);
  }
  function up(event) {
    const finished = event.type === "pointerup" && drawing;
    if (!pointers.delete(event.pointerId)) return;
    if (!pointers.size) panning = false;
    if (event.pointerType === "touch") cursor = null;
    drawing = null;
    if (finished && !(finished.from && finished.from.some((value, i) => value === finished.to[i]))) add(finished);
    redraw();
  }
  function leave() {
    if (drawing || byKeys) return;
    cursor = null;
    redraw();
  }
  /** The wheel zooms with Ctrl, or while the photo has the focus, or always if `wheels`; else it scrolls the page. */
  function wheel(event) {
    const pinched = event.ctrlKey || event.metaKey, here = painter.wheels || view.getRootNode().activeElement === view;
    if (!photo || !(pinched || here) || (!pinched && event.deltaY > 0 && whole)) return;
    event.preventDefault();
    const lines = event.deltaMode ? 20 : 1;
    zoom(Math.exp(-clamp(event.deltaY * lines, -200, 200) / (pinched ? 100 : 400)), spot(event));
  }

  // ---- keys

  /** Do what a key says, wherever in the painter it was pressed, arrows and space on the photo alone; return whether it said something. */
  function keydown(event) {
    const key = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
    if (!photo || event.target.matches?.(TYPED)) return false;
    if (command && key === "z" && !event.shiftKey) undo();
    else if (command && (key === "z" || key === "y")) redo();
    else if (command || event.altKey) return false;
    else if (TOOLS[key]) choose(TOOLS[key]);
    else if (key === "[") resize(painter.size * 0.8 - 1);
    else if (key === "]") resize(painter.size * 1.25 + 1);
    else if (["+", "=", "-"].includes(key)) zoom(key === "-" ? 0.8 : 1.25, cursor ? painter.toView(cursor) : middle());
    else if (key === "0") fit();
    else if (event.target !== view) return false;
    else if (ARROWS[event.key]) step(ARROWS[event.key], event.shiftKey ? 1 : Math.max(1, painter.size / 2));
    else if (key === " ") space ||= "held";
    else if (key === "escape" && (corner || byKeys)) cursor = corner = null;
    else return false;
    event.preventDefault();
    event.stopPropagation();
    redraw();
    return true;
  }
  function step(way, pixels) {
    byKeys = true;
    cursor = inPhoto((cursor ?? at(middle())).map((value, i) => value + (way[i] * pixels) / k));
    const [u, v] = painter.toView(cursor), [width, height] = room();
    place(x + clamp(u, 0, width) - u, y + clamp(v, 0, height) - v);
  }
  /** Space drags the photo while it is held; alone it paints at the cursor of the keys, or sets a corner of the box there. */
  function keyup(event) {
    if (event.key !== " " || !space) return;
    const alone = space === "held" && (byKeys || !cursor);
    space = null;
    if (!alone) return;
    byKeys = true;
    cursor ??= inPhoto(at(middle()));
    if (painter.tool !== "box") add({ tool: painter.tool, size: thick(), points: [cursor] });
    else if (corner) add({ tool: "box", from: corner, to: cursor });
    else corner = cursor;
    redraw();
  }
  function blur() {
    space = cursor = corner = null;
    redraw();
  }

  const touched = (event) => event.preventDefault(); // painting is no swipe
  const heard = {
    pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, pointerleave: leave, touchstart: touched, wheel, keyup, blur };
  for (const [name, react] of Object.entries(heard)) view.addEventListener(name, react, { passive: false });
  const watch = new ResizeObserver(() => (whole ? fit() : place(x, y, Math.max(k, least()))));
  watch.observe(view);
  /** Stop listening. */
  function close() {
    watch.disconnect();
    cancelAnimationFrame(frame);
    for (const [name, react] of Object.entries(heard)) view.removeEventListener(name, react);
  }
  return painter;
}
