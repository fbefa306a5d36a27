// Serves a JavaScript client to the harness: lines of JSON on stdin and stdout, and time that the harness keeps.
// Import it before anything else, so that whatever is loaded later finds the timers and the clock of the harness.
import { createInterface } from "node:readline";

let now = Date.now();
let next = 1;
const sleeps = new Map();
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

class Timer {
  constructor(run, milliseconds, repeat) {
    this.number = next++;
    this.run = run;
    this.start = () => {
      sleeps.set(this.number, this);
      tell({ sleep: this.number, seconds: Math.max(0, Number(milliseconds) || 0) / 1000 });
    };
    this.again = repeat ? this.start : () => {};
    this.start();
  }
  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  [Symbol.toPrimitive]() { return this.number; }
}

// Node's own fetch keeps real time: its timers are about sockets, which are real.
const real = { setTimeout, setInterval, clearTimeout };
const byNode = () => new Error().stack.split("\n")[3]?.includes("node:internal/");
const later = (name, repeat) => (run, milliseconds, ...rest) =>
  byNode() ? real[name](run, milliseconds, ...rest) : new Timer(() => run(...rest), milliseconds, repeat);
globalThis.setTimeout = later("setTimeout", false);
globalThis.setInterval = later("setInterval", true);
globalThis.clearTimeout = globalThis.clearInterval = (timer) => {
  const number = timer instanceof Timer ? timer.number : timer;
  if (typeof number === "object") real.clearTimeout(number);
  else if (sleeps.delete(number)) tell({ forget: number });
};
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) { parts.length ? super(...parts) : super(now); }
  static now() { return now; }
};
performance.now = () => now;
for (const name of ["log", "info", "debug"]) console[name] = console.error; // stdout is for messages

function raised(error) {
  const bases = [];
  for (let kind = Object.getPrototypeOf(error ?? {}); kind; kind = Object.getPrototypeOf(kind)) {
    if (kind.constructor?.name) bases.push(kind.constructor.name);
  }
  if (Number.isInteger(error?.statusCode)) bases.push(...bases.map((kind) => `${kind}:${error.statusCode}`));
  const text = [error?.stack, error?.cause?.stack, JSON.stringify(error, Object.getOwnPropertyNames(error ?? {}))].join("\n");
  return { type: bases[0] ?? "Error", bases: bases.slice(1), message: String(error?.message ?? error), text };
}

// `make(options)` returns a client; a call is one of its methods, by a dotted name, with all arguments in one object.
export function serve(make) {
  let client;
  const call = (name, options) => {
    const path = name.split(".");
    const method = path.pop();
    const owner = path.reduce((value, part) => value[part], client);
    return owner[method](options);
  };
  const take = async (message) => {
    now = message.now * 1000;
    Object.assign(process.env, message.environment);
    if ("woken" in message) {
      const timer = sleeps.get(message.woken);
      sleeps.delete(message.woken);
      timer?.again();
      timer?.run();
    } else {
      try {
        if ("make" in message) {
          sleeps.clear();
          client = await make(message.make);
          tell({ id: message.id });
        } else {
          tell({ id: message.id, returned: (await call(message.call, message.arguments)) ?? null });
        }
      } catch (error) {
        tell({ id: message.id, raised: raised(error) });
      }
    }
  };
  createInterface({ input: process.stdin }).on("line", (line) => take(JSON.parse(line))).on("close", () => process.exit(0));
}
