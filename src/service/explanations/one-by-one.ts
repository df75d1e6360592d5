/** Has calls wait for each other: what one takes of memory and processor time is bounded, what many at once take is not. */
export function oneByOne<A, R>(act: (given: A) => Promise<R>): (given: A) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (given) => {
    const next = last.then(
      () => act(given),
      () => act(given),
    );
    last = next.catch(() => undefined);
    return next;
  };
}
