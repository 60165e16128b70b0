import { Column, Entity, PrimaryColumn } from "typeorm";

/** A company in whose name branches sell. */
@Entity({ name: "legal_entities" })
export class LegalEntityEntity {
  @PrimaryColumn({ type: "uuid" }) legal_entity_id!: string;
  @Column({ type: "text" }) name!: string;
  @Column({ type: "text" }) inn!: string;
  @Column({ type: "integer" }) version!: number;
  @Column({ type: "timestamptz" }) created_at!: Date;
}
