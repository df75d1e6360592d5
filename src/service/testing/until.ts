/** Waits for a condition without a timer: it is looked at in every turn of the event loop. */
export async function until(condition: () => boolean | Promise<boolean>, turns = 5_000): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    if (await condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the condition never came true');
}
