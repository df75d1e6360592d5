import { type LaneKit, makeLane, memoryKit, readAlerts, rowsOf } from '../../../../test/harness/lane-kit.js';
import { until } from '../../../../test/harness/until.js';
import { MemoryStateStore } from '../../memory/memory-state-store.js';
import type { PartitionState } from '../../ports/state-store.js';

/** A store that has nothing, and whose copies are somewhere that may be away. */
class RemoteStore extends MemoryStateStore {
  trouble: string | null = 'the bucket is away';
  asked = 0;

  override async partition(partition: Parameters<MemoryStateStore['partition']>[0]): Promise<PartitionState> {
    const state = await super.partition(partition);
    const restoreCopy = async (): Promise<boolean> => {
      this.asked++;
      if (this.trouble !== null) throw new Error(this.trouble);
      return false;
    };
    return Object.assign(state, { restoreCopy });
  }
}

describe('a lane whose copies of the state are away', () => {
  let store: RemoteStore;
  let kit: LaneKit;
  let said: string[];
  const report = (text: string): void => void said.push(text);
  /** Lets time pass until it has tried so often. */
  const tried = (times: number) =>
    until(() => {
      kit.clock.advance(1000);
      return store.asked >= times;
    }, `${times} attempts`);

  beforeEach(async () => {
    [store, said] = [new RemoteStore(), []];
    kit = { ...(await memoryKit()), store };
  });

  it('waits for them, tells of each trouble once, and then goes on', async () => {
    const lane = makeLane(kit, { report });
    const producer = await kit.log.producer();
    await producer.send(rowsOf('Xa100 Xb106 Zz500'));
    await lane.start();
    await tried(5);
    store.trouble = 'access denied';
    await tried(10);
    expect(said).toEqual([
      expect.stringMatching(/^rows-0: its state cannot be had .*: the bucket is away$/),
      expect.stringMatching(/^rows-0: its state cannot be had .*: access denied$/),
    ]);
    store.trouble = null;
    await tried(11);
    await until(() => lane.status().partitions[0]?.position === 3, 'the records');
    await lane.stop();
    expect(await readAlerts(kit.log)).not.toEqual([]);
  });

  it('stops without them', async () => {
    const lane = makeLane(kit, { report });
    await lane.start();
    await tried(2);
    let isOver = false;
    const stopped = lane.stop().then(() => {
      isOver = true;
    });
    await until(() => {
      kit.clock.advance(1000);
      return isOver;
    }, 'the stop');
    await stopped;
    expect(lane.status().phase).toBe('stopped');
  });
});
