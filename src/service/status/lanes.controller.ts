import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { CheckpointStatus } from '../../runtime/checkpoint/options.js';
import { Allow } from '../access/allow.js';
import { PersonalMask } from '../access/personal-mask.js';
import { Caller, type Principal } from '../access/principal.js';
import { StakeoutStrategy } from '../detection/index.js';
import { CHECKPOINTS } from '../tokens.js';
import { checkpointOf, lagOf } from './status.controller.js';
import { CheckpointDto, LaneLoadDto, PartitionDto } from './status.dto.js';

export class LanePartitionDto extends PartitionDto {
  @ApiProperty({ type: CheckpointDto, nullable: true, description: 'null: none are made.' })
  readonly checkpoint!: CheckpointDto | null;
}

export class OwnedLaneDto {
  @ApiProperty({ type: Number, description: '0 where detection is in the main thread.' })
  readonly lane!: number;

  @ApiProperty({ type: Number, format: 'int64', description: 'Records behind the ends of its partitions.' })
  readonly lag!: number;

  @ApiProperty({ type: LaneLoadDto, nullable: true, description: 'null: it is no thread of its own.' })
  readonly load!: LaneLoadDto | null;

  @ApiProperty({ type: [LanePartitionDto] })
  readonly partitions!: readonly LanePartitionDto[];
}

export class LanesDto {
  @ApiProperty({ type: String, description: 'Of detection in this process.' })
  readonly phase!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly trouble!: string | null;

  @ApiProperty({ type: [OwnedLaneDto], description: 'Those of this process that own partitions.' })
  readonly items!: readonly OwnedLaneDto[];
}

@ApiTags('status')
@Controller('v1/lanes')
@Allow('viewer')
export class LanesController {
  constructor(
    private readonly strategy: StakeoutStrategy,
    @Inject(CHECKPOINTS) private readonly checkpoints: () => readonly CheckpointStatus[],
    @Inject(PersonalMask) private readonly mask: PersonalMask,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Lanes, their partitions, lag, watermarks and checkpoints' })
  @ApiOkResponse({ type: LanesDto })
  lanes(@Caller() caller: Principal): LanesDto {
    const status = this.mask.ofStatus(this.strategy.detectorStatus(), caller);
    const checkpoints = this.checkpoints().map(checkpointOf);
    const byLane = Map.groupBy(status?.partitions ?? [], ({ lane = 0 }) => lane);
    const items = [...byLane]
      .toSorted(([a], [b]) => a - b)
      .map(([lane, own]): OwnedLaneDto => {
        const partitions = own.map((partition): LanePartitionDto => {
          const isOf = ({ topic, partition: n }: CheckpointDto): boolean =>
            topic === partition.topic && n === partition.partition;
          return { ...partition, lag: lagOf(partition), checkpoint: checkpoints.find(isOf) ?? null };
        });
        const load = status?.lanes?.find((of) => of.lane === lane) ?? null;
        return { lane, lag: partitions.reduce((sum, { lag }) => sum + lag, 0), load, partitions };
      });
    return { phase: status?.phase ?? 'created', trouble: status?.trouble ?? null, items };
  }
}
