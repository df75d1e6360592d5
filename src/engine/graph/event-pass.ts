import { type CompiledState, type CompiledTransition, IGNORE, PROCEED, TAKE } from '../compiler/compiled-state.js';
import type { EngineEvent } from '../event.js';
import type { GraphNode, GraphState, RunSet } from './node.js';
import { NodeMaker } from './node-maker.js';

/** What becomes of the runs that take the event, by one step and to one state, whichever states they come from. */
interface Taken {
  target: CompiledState;
  step: number;
  previous: RunSet | null;
  starts: number;
}

const NONE: readonly GraphNode[] = [];

/**
 * One event's way through the automaton: the edges of each state that has runs are looked at once, for all its runs together,
 * and do with them what the run version (`nfa/step.ts`) does with one.
 *
 * One object serves all calls, one after the other, so that an event which changes nothing allocates nothing. Between `begin` and
 * `result` nothing is called but conditions.
 */
export class EventPass {
  /** Runs that the event completes: items made of it, and sets that it let pass into the final state. */
  completed: readonly GraphNode[] = NONE;
  private readonly make = new NodeMaker();
  private event!: EngineEvent;
  /** Runs after the event by the index of their state, and the indices of the states that have any. */
  private readonly sets: (RunSet | null)[] = [];
  private readonly filled: number[] = [];
  private filledCount = 0;
  private readonly taken: Taken[] = [];
  private takenCount = 0;
  /** Edges that apply, and the step of the state that each of them leaves. */
  private readonly edges: CompiledTransition[] = [];
  private readonly edgeSteps: number[] = [];
  private edgeCount = 0;
  private isOpen = false;
  private readonly stack: CompiledState[] = [];

  begin(event: EngineEvent, nextId: number): void {
    // Something is left to clear only if a condition has thrown.
    if (this.isOpen) this.clear();
    this.isOpen = true;
    this.event = event;
    this.make.nextId = nextId;
  }

  /** Gives the event to the runs of a state. Tells whether they stay just as they are. */
  pass(state: CompiledState, set: RunSet): boolean {
    this.collect(state);
    const { edges, edgeCount } = this;
    if (edgeCount === 1 && edges[0]!.action === IGNORE && edges[0]!.target === state) {
      this.put(state.index, set);
      return true;
    }
    const stopped = this.isStopped();
    for (let i = 0; i < edgeCount; i++) {
      const { action, target } = edges[i]!;
      if (action === TAKE) this.take(target, this.edgeSteps[i]!, set, stopped);
      else if (target.isFinal) this.complete(set);
      else if (!stopped) this.put(target.index, set);
    }
    return false;
  }

  /** Begins runs with the event. Tells whether there are any. */
  start(state: CompiledState): boolean {
    this.collect(state);
    let begun = false;
    for (let i = 0; i < this.edgeCount; i++) {
      const { action, target } = this.edges[i]!;
      if (action !== TAKE) continue;
      this.take(target, this.edgeSteps[i]!, null, false);
      begun = true;
    }
    return begun;
  }

  /** The state after the event, compaction apart; `undefined`: nothing is under way. */
  result(held: number, added: number, idsMax: number): GraphState | undefined {
    const items = this.makeItems();
    const count = this.filledCount;
    if (count === 0) return undefined;
    sortAscending(this.filled, count);
    const states = this.filled.slice(0, count);
    const sets = new Array<RunSet>(count);
    for (let i = 0; i < count; i++) sets[i] = this.sets[states[i]!]!;
    return { states, sets, nextId: this.make.nextId, idsMax, held, added: added + items };
  }

  /** Lets go of all nodes. */
  clear(): void {
    for (let i = 0; i < this.filledCount; i++) this.sets[this.filled[i]!] = null;
    this.filledCount = 0;
    for (let i = 0; i < this.takenCount; i++) this.taken[i]!.previous = null;
    this.takenCount = 0;
    this.completed = NONE;
    this.stack.length = 0;
    this.isOpen = false;
    this.make.forget();
  }

  /** The takes and ignores that apply, found by walking proceeds. */
  private collect(from: CompiledState): void {
    const { event, edges, edgeSteps, stack } = this;
    let count = 0;
    for (let state: CompiledState | undefined = from; state !== undefined; state = stack.pop()) {
      const transitions: readonly CompiledTransition[] = state.transitions;
      for (let i = 0; i < transitions.length; i++) {
        const t = transitions[i]!;
        if (t.test !== null && !t.test(event, event.fields, null)) continue;
        if (t.action === PROCEED) {
          stack.push(t.target);
        } else {
          edges[count] = t;
          edgeSteps[count++] = state.step;
        }
      }
    }
    this.edgeCount = count;
  }

  /** A stop state discards what becomes of the runs, but for those that are complete. */
  private isStopped(): boolean {
    for (let i = 0; i < this.edgeCount; i++) if (this.edges[i]!.target.isStop) return true;
    return false;
  }

  private take(target: CompiledState, step: number, previous: RunSet | null, stopped: boolean): void {
    const reached = stopped && !target.isFinal ? this.finalAfter(target) : target;
    if (reached !== null) this.addTaken(reached, step, previous);
  }

  private addTaken(target: CompiledState, step: number, previous: RunSet | null): void {
    const starts = previous === null ? 1 : 0;
    for (let i = 0; i < this.takenCount; i++) {
      const known = this.taken[i]!;
      if (known.target !== target || known.step !== step) continue;
      known.previous = this.make.unite(known.previous, previous);
      known.starts += starts;
      return;
    }
    const free = this.taken[this.takenCount];
    if (free === undefined) {
      this.taken.push({ target, step, previous, starts });
    } else {
      free.target = target;
      free.step = step;
      free.previous = previous;
      free.starts = starts;
    }
    this.takenCount++;
  }

  /** One item for each step and state that is taken to. How many became part of the state. */
  private makeItems(): number {
    const { event, make, taken, takenCount } = this;
    sortTaken(taken, takenCount);
    let added = 0;
    for (let i = 0; i < takenCount; i++) {
      const { target, step, previous, starts } = taken[i]!;
      const item = make.item(event, step, target.index, starts, previous);
      if (target.isFinal || this.finalAfter(target) !== null) this.complete(item);
      if (target.isFinal) continue;
      this.sets[target.index] = make.add(this.setOf(target.index), item);
      added++;
    }
    return added;
  }

  private put(index: number, set: RunSet): void {
    this.sets[index] = this.make.unite(this.setOf(index), set);
  }

  private setOf(index: number): RunSet | null {
    const before = this.sets[index] ?? null;
    if (before === null) this.filled[this.filledCount++] = index;
    return before;
  }

  private complete(node: GraphNode): void {
    if (this.completed.length === 0) this.completed = [node];
    else this.completed = [...this.completed, node];
  }

  /** The final state, if proceeds that hold for the event lead there. */
  private finalAfter(from: CompiledState): CompiledState | null {
    if (!from.mayComplete) return null;
    const { event, stack } = this;
    stack.push(from);
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      for (const t of state.transitions) {
        if (t.action !== PROCEED || (t.test !== null && !t.test(event, event.fields, null))) continue;
        if (t.target.isFinal) {
          stack.length = 0;
          return t.target;
        }
        stack.push(t.target);
      }
    }
    return null;
  }
}

function sortTaken(taken: Taken[], count: number): void {
  for (let i = 1; i < count; i++) {
    const one = taken[i]!;
    let at = i;
    for (; at > 0 && comesBefore(one, taken[at - 1]!); at--) taken[at] = taken[at - 1]!;
    taken[at] = one;
  }
}

const comesBefore = (a: Taken, b: Taken): boolean =>
  a.step < b.step || (a.step === b.step && a.target.index < b.target.index);

function sortAscending(numbers: number[], count: number): void {
  for (let i = 1; i < count; i++) {
    const one = numbers[i]!;
    let at = i;
    for (; at > 0 && numbers[at - 1]! > one; at--) numbers[at] = numbers[at - 1]!;
    numbers[at] = one;
  }
}
