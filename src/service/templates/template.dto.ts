import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PARAMETER_TYPES, type Parameter } from '../../rules/index.js';
import { PageDto } from '../paging/page.js';
import { AppliedDto, SignatureDto } from '../rules/rules.dto.js';

export class ParameterDto implements Parameter {
  @ApiProperty({ type: String })
  readonly name!: string;

  @ApiProperty({ enum: PARAMETER_TYPES })
  readonly type!: Parameter['type'];

  @ApiPropertyOptional({ type: String })
  readonly title?: string;

  @ApiPropertyOptional({ type: String })
  readonly description?: string;

  @ApiPropertyOptional({ type: String, description: 'As it stands in the text; absent: a value has to be given.' })
  readonly default?: string;

  @ApiPropertyOptional({ type: Number, description: 'Of durations in milliseconds.' })
  readonly minimum?: number;

  @ApiPropertyOptional({ type: Number })
  readonly maximum?: number;

  @ApiPropertyOptional({ type: [String] })
  readonly choices?: readonly string[];
}

export class TemplateDto {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String })
  readonly title!: string;

  @ApiProperty({ type: String, nullable: true })
  readonly description!: string | null;

  @ApiProperty({ enum: ['folder', 'rules'], description: 'The folder of templates, or a rule of the set in force.' })
  readonly source!: 'folder' | 'rules';

  @ApiProperty({ type: [ParameterDto] })
  readonly parameters!: readonly ParameterDto[];
}

export class TemplatePageDto extends PageDto {
  @ApiProperty({ type: [TemplateDto] })
  readonly items!: readonly TemplateDto[];
}

export class TemplateDetailDto extends TemplateDto {
  @ApiProperty({ type: Object, description: 'JSON Schema of `values`: what a form is drawn from.' })
  readonly schema!: object;

  @ApiProperty({ type: String, description: 'The template as it was written.' })
  readonly yaml!: string;
}

export class FillTemplateDto extends SignatureDto {
  @ApiProperty({ type: String, description: 'What the new rule is called.' })
  readonly id!: string;

  @ApiPropertyOptional({ type: String, description: 'Its title; that of the template.' })
  readonly title?: string;

  @ApiPropertyOptional({ type: Object, description: 'Values by name, as the schema has it.' })
  readonly values?: object;

  @ApiPropertyOptional({ enum: ['draft', 'shadow', 'live'], description: 'draft' })
  readonly status?: string;

  @ApiPropertyOptional({ type: Boolean, description: 'Only say what it would be, and what it would change.' })
  readonly dryRun?: boolean;

  @ApiPropertyOptional({ type: Boolean, description: 'Put it in the place of the rule of this id.' })
  readonly replace?: boolean;
}

export class FilledDto extends AppliedDto {
  @ApiProperty({ type: String })
  readonly id!: string;

  @ApiProperty({ type: String, description: 'The rule that came of it.' })
  readonly yaml!: string;
}
