/** How long `until` waits before it gives up, unless told otherwise: enough for a real broker's first rebalance. */
const TIMEOUT_MS = 150_000;
/** At first, and at most: each look is half as long again after the one before, since looking takes processor time from what is waited for. */
const POLL_MS = { first: 5, max: 50 };

/**
 * Waits until `condition` holds, looking again ever more seldom, and returns what it returned.
 *
 * @param what what is waited for, as a phrase: the error says "gave up after … ms waiting for <what>". A function is called
 *   when it fails, so that it can say how far things had got.
 * @throws when it does not hold within `timeoutMs`; the last error the condition threw is its cause.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string | (() => string),
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let pollMs = POLL_MS.first;
  let cause: unknown;
  for (;;) {
    try {
      const result = await condition();
      if (result) {
        return result;
      }
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const phrase = typeof what === 'string' ? what : what();
      throw new Error(`gave up after ${timeoutMs} ms waiting for ${phrase}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    pollMs = Math.min(1.5 * pollMs, POLL_MS.max);
  }
}
