import { defineScript } from 'redis';

/** What `writeAlert` is told, in this order. Times in milliseconds. */
export interface WriteAlertArguments {
  readonly id: string;
  readonly now: number;
  readonly seenMax: number;
  readonly seenForMs: number;
  readonly streamLength: number;
  readonly expiryMs: number;
  readonly alertsMax: number;
  readonly channel: string;
  readonly detectedAt: number;
  readonly score: number;
  /** Hash fields of the newest alert, names and values in turn: set unless a later alert is there already. */
  readonly latest: Readonly<Record<string, string>>;
  /** JSON of what the list of last alerts keeps; it has `detectedAt`. */
  readonly summary: string;
  /** JSON of the whole alert, for the channel. */
  readonly alert: string;
  /** Fields of the stream's entry. */
  readonly entry: Readonly<Record<string, string>>;
}

/**
 * Writes one alert, or nothing when its id was seen before: one script, so that nobody sees half of it and a crash leaves
 * all of it or none.
 *
 * L1. All commands that a key of a wrong type makes fail come before the first write.
 * L2. A risk depends on its alerts and not on the order they are written in, but for alerts of the same millisecond.
 * L3. `peaks` keeps the alerts that can still become the highest within the expiry: each later one has a lower score.
 *
 * KEYS: stream, seen, risk. ARGV: as in `WriteAlertArguments`.
 */
const SCRIPT = `
local stream, seen, risk = KEYS[1], KEYS[2], KEYS[3]
local id, now = ARGV[1], tonumber(ARGV[2])
local seenMax, seenFor, streamLength = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local expiry, alertsMax, channel = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local at, score = tonumber(ARGV[9]), tonumber(ARGV[10])

-- L1
redis.call('XLEN', stream)
local before = redis.call('HMGET', risk, 'lastAlertAt', 'alerts', 'peaks')
if redis.call('ZSCORE', seen, id) then return 0 end

-- L3
local newest, dominated, peaks = at, false, {}
for _, peak in ipairs(cjson.decode(before[3] or '[]')) do
  if peak[1] > newest then newest = peak[1] end
  if peak[1] >= at and peak[2] >= score then dominated = true end
  if peak[1] > at or peak[2] > score or dominated then peaks[#peaks + 1] = peak end
end
if not dominated then peaks[#peaks + 1] = { at, score } end
local highest, kept = 0, {}
for _, peak in ipairs(peaks) do
  if peak[1] > newest - expiry then
    kept[#kept + 1] = peak
    if peak[2] > highest then highest = peak[2] end
  end
end
table.sort(kept, function(a, b) return a[1] < b[1] end)
while #kept > 64 do table.remove(kept) end

local alerts, place = cjson.decode(before[2] or '[]'), 1
while alerts[place] and alerts[place].detectedAt > at do place = place + 1 end
table.insert(alerts, place, cjson.decode(ARGV[11]))
while #alerts > alertsMax do table.remove(alerts) end

local latestCount = tonumber(ARGV[13])
local latestEnd = 13 + latestCount
redis.call('HSET', risk, 'score', tostring(highest), 'alerts', cjson.encode(alerts), 'peaks', cjson.encode(kept))
if not before[1] or at >= tonumber(before[1]) then
  redis.call('HSET', risk, 'lastAlertAt', ARGV[9], unpack(ARGV, 14, latestEnd))
end
redis.call('HINCRBY', risk, 'count', 1)
redis.call('PEXPIRE', risk, expiry)
redis.call('XADD', stream, 'MAXLEN', '~', streamLength, '*', unpack(ARGV, latestEnd + 1))
redis.call('PUBLISH', channel, ARGV[12])

redis.call('ZADD', seen, now, id)
redis.call('ZREMRANGEBYSCORE', seen, '-inf', now - seenFor)
redis.call('ZREMRANGEBYRANK', seen, 0, -(seenMax + 1))
redis.call('PEXPIRE', seen, seenFor)
return 1
`;

export interface WriteAlertKeys {
  readonly stream: string;
  readonly seen: string;
  readonly risk: string;
}

export const writeAlert = defineScript({
  SCRIPT,
  NUMBER_OF_KEYS: 3,
  parseCommand(parser, keys: WriteAlertKeys, args: WriteAlertArguments) {
    parser.pushKeys([keys.stream, keys.seen, keys.risk]);
    const latest = Object.entries(args.latest).flat();
    parser.push(args.id, String(args.now), String(args.seenMax), String(args.seenForMs), String(args.streamLength));
    parser.push(
      String(args.expiryMs),
      String(args.alertsMax),
      args.channel,
      String(args.detectedAt),
      String(args.score),
    );
    parser.push(args.summary, args.alert, String(latest.length), ...latest, ...Object.entries(args.entry).flat());
  },
  /** Whether the alert was new. */
  transformReply: (reply: unknown): boolean => reply === 1,
});
