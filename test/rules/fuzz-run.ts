import { type Fed, feed, readSeeds } from './fuzz.js';

/**
 * A long run of the fuzzer:
 *
 *     node --import ./test/harness/run-typescript.mjs test/rules/fuzz-run.ts [seconds] [first number]
 */
const [seconds = 600, first = 1] = process.argv.slice(2).map(Number);
const seeds = await readSeeds();
const started = performance.now();
const outcomes = new Map<string, number>();
let slowest: Fed | null = null;
let number = first;
while (performance.now() - started < seconds * 1000) {
  const fed = feed(seeds, number++);
  const key = `${fed.kind}: ${fed.outcome}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  if (slowest === null || fed.ms > slowest.ms) slowest = fed;
}
console.log(`${number - first} inputs (${first} to ${number - 1}) in ${seconds} s: nothing thrown`);
for (const [key, count] of [...outcomes].sort()) console.log(`  ${key.padEnd(30)} ${count}`);
console.log(`slowest: ${slowest!.ms.toFixed(0)} ms, ${slowest!.kind}, ${slowest!.text.length} characters`);
