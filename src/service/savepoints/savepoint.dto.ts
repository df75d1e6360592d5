import { ApiProperty } from '@nestjs/swagger';
import { PageDto } from '../paging/page.js';
import type { SavepointJob } from './savepoint-jobs.js';
import type { SavepointPartitionSummary, SavepointSummary } from './savepoint-parts.js';

export class SavepointPartitionDto implements SavepointPartitionSummary {
  @ApiProperty({ type: String })
  readonly topic!: string;

  @ApiProperty({ type: Number })
  readonly partition!: number;

  @ApiProperty({ type: Number, format: 'int64', description: 'Offset up to which records are in it.' })
  readonly position!: number;

  @ApiProperty({ type: Number, format: 'int64', description: 'Offset at which the group goes on after a restore.' })
  readonly committed!: number;

  @ApiProperty({ type: Number, format: 'int64', nullable: true, description: 'Event time, milliseconds since 1970.' })
  readonly watermark!: number | null;

  @ApiProperty({ type: Number })
  readonly keys!: number;
}

export class SavepointDto implements SavepointSummary {
  @ApiProperty({ type: String, description: 'Where it is on the machine of the service.' })
  readonly path!: string;

  @ApiProperty({ type: Number, format: 'int64' })
  readonly bytes!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  readonly createdAt!: string;

  @ApiProperty({ type: Number })
  readonly keys!: number;

  @ApiProperty({ type: [SavepointPartitionDto] })
  readonly partitions!: readonly SavepointPartitionDto[];
}

export class SavepointJobDto implements SavepointJob {
  @ApiProperty({ type: String, example: '2026-01-31T10-00-00-000Z.savepoint' })
  readonly name!: string;

  @ApiProperty({ enum: ['running', 'done', 'failed'] })
  readonly state!: SavepointJob['state'];

  @ApiProperty({ type: Number })
  readonly keysWritten!: number;

  @ApiProperty({ type: String, nullable: true, description: 'Why it failed.' })
  readonly error!: string | null;

  @ApiProperty({ type: SavepointDto, nullable: true, description: 'Once it is done.' })
  readonly savepoint!: SavepointDto | null;
}

export class SavepointPageDto extends PageDto {
  @ApiProperty({ type: [SavepointJobDto] })
  readonly items!: readonly SavepointJobDto[];
}
