/** The first whole number from `from` on, and before `to`, that `holds`; `to` if none does. Where one holds, so do all after it. */
export function firstWhere(from: number, to: number, holds: (n: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
