import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { SourceState } from './source-control.js';

export class SourceChangedDto {
  @ApiProperty({ type: Number, description: 'Milliseconds since 1970.' })
  readonly at!: number;

  @ApiProperty({ type: String })
  readonly author!: string;

  @ApiProperty({ type: String })
  readonly message!: string;
}

export class SourceDto implements SourceState {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      'As in the settings; the schema of a stream stands in it. Of secrets it is only told that they are there.',
  })
  readonly definition!: Record<string, unknown>;

  @ApiProperty({ type: String, description: 'Names the definition; the ETag.' })
  readonly digest!: string;

  @ApiProperty({ enum: ['settings', 'registered'] })
  readonly origin!: SourceState['origin'];

  @ApiProperty({ type: SourceChangedDto, nullable: true })
  readonly changed!: SourceChangedDto | null;

  @ApiProperty({ type: [String], description: 'Rules that read the stream.' })
  readonly usedBy!: readonly string[];
}

export class PutSourceDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: definitions name variables in this very form.
      'As in the settings (`streams.<name>`, `sinks.<name>`); the Avro schema of a stream as an object. A value `${NAME}` is that of a variable of the service.',
  })
  readonly definition!: Record<string, unknown>;

  @ApiPropertyOptional({ type: String })
  readonly author?: string;

  @ApiPropertyOptional({ type: String, description: 'Why.' })
  readonly message?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Checks it, and changes nothing.' })
  readonly dryRun?: boolean;
}

export class SourceAuditDto {
  @ApiProperty({ type: Boolean, description: 'Every entry is as it was written.' })
  readonly intact!: boolean;

  @ApiProperty({ type: String, nullable: true })
  readonly damage!: string | null;

  @ApiProperty({ type: Number })
  readonly entries!: number;

  @ApiProperty({ type: String, description: 'Hash of the last entry.' })
  readonly head!: string;
}
