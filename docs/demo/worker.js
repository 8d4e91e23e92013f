// Fills pictures beside the page, so that the page stays awake. It is told {id, what, ...} and answers {id, result} or {id, error}, one request
// after the other; in between it says {id, progress} from 0 to 1, and hears {cancel: id}. A method is an async
// (image, mask, h, w, {tick, ...}) => image that awaits tick(progress) now and then; it ends there when it is cancelled.
import {anyHole, harmonic, hide, ringMean} from "./fill.js";

const METHODS = {"ring-mean": ringMean, harmonic}, networks = {}, cancelled = new Set(), PAUSE = 50;
let turn = Promise.resolve();

/** Open an exported network; it is called like the one in Python. */
async function load({name, file, size}) {
  if (typeof WebAssembly !== "object") throw new Error("this browser has no WebAssembly");
  const ort = await import("./ort.js");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(new URL(file, import.meta.url).href, {executionProviders: ["wasm"], enableMemPattern: false});
  networks[name] = async (seen, h, w) => {
    const {drawn} = await session.run({seen: new ort.Tensor("float32", seen, [1, 4, h, w])});
    return drawn.data;
  };
  METHODS[name] = anyHole(networks[name], size);
  await networks[name](new Float32Array(4*64*64), 64, 64);
}

const run = ({name, image, mask, h, w}) => networks[name](hide(image, mask), h, w);

async function fill({id, name, image, mask, h, w, ...options}) {
  const began = performance.now();
  let said = began;
  const tick = async progress => {
    if (performance.now() - said < PAUSE) return;
    postMessage({id, progress});
    await new Promise(resolve => setTimeout(resolve));  // a cancel can be heard now
    if (cancelled.delete(id)) throw new Error("cancelled");
    said = performance.now();
  };
  const filled = await METHODS[name](image, mask, h, w, {tick, ...options});
  return {filled, ms: performance.now() - began};
}

onmessage = ({data}) => {
  if ("cancel" in data) return cancelled.add(data.cancel);
  const {id, what} = data;
  turn = turn.then(() => {
    if (cancelled.delete(id)) throw new Error("cancelled");
    return ({load, run, fill})[what](data);
  }).then(result => postMessage({id, result}), error => postMessage({id, error: error.message || String(error)}));
};
