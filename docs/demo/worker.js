// Fills pictures beside the page, so that the page stays awake: one request at a time, the answer with the same number.
import {anyHole, harmonic, hide, ringMean} from "./fill.js";

const METHODS = {"ring-mean": ringMean, harmonic}, networks = {};
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

async function fill({name, image, mask, h, w}) {
  const began = performance.now(), filled = await METHODS[name](image, mask, h, w);
  return {filled, ms: performance.now() - began};
}

onmessage = ({data: {id, what, ...rest}}) => turn = turn.then(() => ({load, run, fill})[what](rest)).then(
  result => postMessage({id, result}), error => postMessage({id, error: error.message || String(error)}));
