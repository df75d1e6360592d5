import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { DetectorPhase, FillingStatus, LaneLoad, PartitionStatus } from '../../runtime/detector.js';
import type { KeyMemory } from '../../runtime/keys/memory.js';
import type { SpillCounts } from '../../runtime/keys/windows/window-spill.js';
import type { StoppedRule } from '../../runtime/task/keyed/quarantine.js';
import type { StreamTable } from '../feeds/table-feeds.js';
import { RulesStatusDto } from '../rules/rules.dto.js';
import { StreamTableDto } from '../switches/switches.dto.js';

const nullableTime = {
  type: Number,
  format: 'int64',
  nullable: true,
  description: 'Event time, milliseconds since 1970.',
} as const;

export class KeyMemoryDto implements KeyMemory {
  @ApiProperty({ type: Number, description: 'Keys whose state is ready for use.' })
  readonly hotKeys!: number;

  @ApiProperty({ type: Number, description: 'Keys whose state is kept as bytes.' })
  readonly coldKeys!: number;

  @ApiProperty({ type: Number, description: 'Bytes of state that is kept as bytes.' })
  readonly coldBytes!: number;

  @ApiProperty({ type: Number, description: 'Memory of the tables of keys, in bytes.' })
  readonly tableBytes!: number;

  @ApiPropertyOptional({
    type: Number,
    description: 'Memory that says which parts of large states are in the store, in bytes.',
  })
  readonly recordBytes?: number;

  @ApiPropertyOptional({
    type: Object,
    description: 'Windows of features that are in a file: keys, bytes, hits, misses.',
  })
  readonly spilled?: SpillCounts;
}

export class StoppedRuleDto implements StoppedRule {
  @ApiProperty({ type: String, description: 'Id of the pattern.' })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly revision!: string;

  @ApiProperty({ enum: ['runs', 'matches', 'events', 'error'], description: 'The limit that it exceeded.' })
  readonly reason!: StoppedRule['reason'];

  @ApiProperty({ type: String })
  readonly detail!: string;

  @ApiProperty({ type: String, description: 'Of the event that exceeded it.' })
  readonly key!: string;

  @ApiProperty({ type: Number, format: 'int64', description: 'Event time, milliseconds since 1970.' })
  readonly time!: number;

  @ApiProperty({ type: Object, nullable: true, description: 'Topic, partition and offset; null: a window ended.' })
  readonly event!: StoppedRule['event'];
}

export class FillingDto implements FillingStatus {
  @ApiProperty({ type: [String] })
  readonly rules!: readonly string[];

  @ApiProperty({ type: Number, format: 'int64', description: 'First offset that is read.' })
  readonly from!: number;

  @ApiProperty({ type: Number, format: 'int64', description: 'Next offset that is read.' })
  readonly position!: number;
}

export class PartitionDto implements PartitionStatus {
  @ApiProperty({ type: String })
  readonly topic!: string;

  @ApiProperty({ type: Number })
  readonly partition!: number;

  @ApiProperty({ enum: ['restoring', 'live'] })
  readonly phase!: PartitionStatus['phase'];

  @ApiPropertyOptional({ description: 'The lane that has it, where lanes are threads of their own.' })
  readonly lane?: number;

  @ApiProperty({ type: Number, format: 'int64', description: 'Next offset to process.' })
  readonly position!: number;

  @ApiProperty({ type: Number, format: 'int64' })
  readonly endOffset!: number;

  @ApiProperty({ type: Number, format: 'int64', description: 'Records behind the end.' })
  readonly lag!: number;

  @ApiProperty(nullableTime)
  readonly watermark!: number | null;

  @ApiProperty({ ...nullableTime, description: "The log's own time of the last record, milliseconds since 1970." })
  readonly recordTime!: number | null;

  @ApiProperty(nullableTime)
  readonly maxEventTime!: number | null;

  @ApiProperty({ type: Boolean })
  readonly idle!: boolean;

  @ApiProperty({ type: Number, description: 'Keys with state.' })
  readonly keys!: number;

  @ApiProperty({ type: Number, description: 'Partial matches.' })
  readonly runs!: number;

  @ApiProperty({ type: Number, description: 'Events that wait for the watermark.' })
  readonly buffered!: number;

  @ApiProperty({ type: KeyMemoryDto })
  readonly memory!: KeyMemoryDto;

  @ApiPropertyOptional({ type: [StoppedRuleDto], description: 'Patterns that are stopped in this partition.' })
  readonly quarantined?: readonly StoppedRuleDto[];

  @ApiPropertyOptional({ type: String, description: 'Digest of the rule set in force.' })
  readonly rules?: string;

  @ApiPropertyOptional({
    type: Number,
    format: 'int64',
    description:
      'Offset from which it is in force, as the journal says: what it is made of, and what the lists held that it asks. Absent: it was when this process took the partition.',
  })
  readonly rulesFrom?: number;

  @ApiPropertyOptional({
    type: FillingDto,
    description: 'Rules that are filled from the log, and come into force then.',
  })
  readonly filling?: FillingDto;
}

export class LaneLoadDto implements LaneLoad {
  @ApiProperty({ type: Number })
  readonly lane!: number;

  @ApiProperty({ type: Number, description: 'Times that its thread was started again.' })
  readonly restarts!: number;

  @ApiProperty({ type: Number, description: 'Seconds in which its thread had something to do.' })
  readonly busySeconds!: number;

  @ApiProperty({ type: Number })
  readonly gcSeconds!: number;

  @ApiProperty({ type: Number })
  readonly gcPauses!: number;

  @ApiProperty({ type: Number, description: 'Longest time that its event loop was held up lately, in seconds.' })
  readonly loopDelaySeconds!: number;

  @ApiProperty({ type: Number })
  readonly heapBytes!: number;
}

export class DetectorDto {
  @ApiProperty({ enum: ['created', 'starting', 'running', 'degraded', 'stopping', 'stopped', 'failed'] })
  readonly phase!: DetectorPhase;

  @ApiProperty({ type: String, nullable: true, description: 'Why it is degraded or failed.' })
  readonly trouble!: string | null;

  @ApiProperty({ type: Number })
  readonly recordsIn!: number;

  @ApiProperty({ type: Number })
  readonly recordsReplayed!: number;

  @ApiProperty({ type: Number })
  readonly late!: number;

  @ApiProperty({ type: Number })
  readonly deadLettered!: number;

  @ApiProperty({ type: Number })
  readonly alerts!: number;

  @ApiProperty({ type: Number, description: 'Partial matches that ended one step short, of patterns that tell them.' })
  readonly nearMisses!: number;

  @ApiProperty({ type: Number, description: 'Partial matches given up because a limit was reached.' })
  readonly runsDropped!: number;

  @ApiProperty({ type: Number, description: 'Matches not written out because one event completed too many.' })
  readonly matchesDropped!: number;

  @ApiProperty({
    type: Number,
    description: 'Seconds in which no input was taken, because output was not durable yet.',
  })
  readonly backpressureSeconds!: number;

  @ApiProperty({ type: Number, description: 'Records given out that are not durable or not committed yet.' })
  readonly outputsWaiting!: number;

  @ApiPropertyOptional({ type: [LaneLoadDto], description: 'Lanes that are threads of their own.' })
  readonly lanes?: readonly LaneLoadDto[];

  @ApiProperty({ type: 'object', additionalProperties: { type: 'number' }, description: 'Matches by pattern.' })
  readonly matches!: Readonly<Record<string, number>>;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'Times that a pattern had to look at an event of a key: what it costs.',
  })
  readonly steps!: Readonly<Record<string, number>>;

  @ApiProperty({ type: [PartitionDto] })
  readonly partitions!: readonly PartitionDto[];
}

export class SinkDto {
  @ApiProperty({ type: String, example: 'redis' })
  readonly name!: string;

  @ApiProperty({ enum: ['created', 'running', 'paused', 'stopped'] })
  readonly state!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly trouble!: string | null;

  @ApiProperty({ type: Number })
  readonly written!: number;

  @ApiProperty({
    type: Number,
    description: 'Records that it will never write; they are in the topic of dead letters.',
  })
  readonly deadLettered!: number;

  @ApiProperty({ type: Number, description: 'Alerts that are not written yet.' })
  readonly lag!: number;
}

export class TableDto extends StreamTableDto implements StreamTable {
  @ApiProperty({ type: String })
  readonly stream!: string;
}

export class CheckpointDto {
  @ApiProperty({ type: String })
  readonly topic!: string;

  @ApiProperty({ type: Number })
  readonly partition!: number;

  @ApiProperty({ type: Number, format: 'int64', nullable: true, description: 'Offset up to which records are in it.' })
  readonly position!: number | null;

  @ApiProperty({ type: Number, format: 'int64', nullable: true, description: 'Milliseconds since 1970.' })
  readonly at!: number | null;

  @ApiProperty({ type: Number, format: 'int64', description: 'Of all that were written since the partition came.' })
  readonly bytesWritten!: number;

  @ApiProperty({ type: Number, description: 'Since the last that succeeded.' })
  readonly failedInRow!: number;

  @ApiProperty({ type: Boolean, description: 'More have failed in a row than are tolerated.' })
  readonly degraded!: boolean;

  @ApiProperty({ type: String, nullable: true })
  readonly lastFailure!: string | null;
}

export class StatusDto {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ type: String, description: 'Of stakeout.' })
  readonly version!: string;

  @ApiProperty({ type: String, description: 'Of Node.js.' })
  readonly node!: string;

  @ApiProperty({ enum: ['kafka', 'embedded'] })
  readonly log!: 'kafka' | 'embedded';

  @ApiProperty({ type: DetectorDto, nullable: true, description: 'null while it is being made.' })
  readonly detector!: DetectorDto | null;

  @ApiProperty({ type: [SinkDto] })
  readonly sinks!: readonly SinkDto[];

  @ApiProperty({
    type: [CheckpointDto],
    description: 'Of the partitions that are owned here; empty where none are made.',
  })
  readonly checkpoints!: readonly CheckpointDto[];

  @ApiProperty({ type: [TableDto], description: 'Streams that are tables, and how far they are read.' })
  readonly tables!: readonly TableDto[];

  @ApiProperty({ type: Number, description: 'Patterns that are loaded.' })
  readonly patterns!: number;

  @ApiProperty({ type: RulesStatusDto, nullable: true, description: 'null: rules cannot be changed here.' })
  readonly rules!: RulesStatusDto | null;

  @ApiProperty({ type: Number, description: 'Alerts that can be asked for.' })
  readonly alertsHeld!: number;

  @ApiProperty({ type: String, nullable: true, description: 'Why the alerts topic cannot be read at present.' })
  readonly alertsTrouble!: string | null;
}
