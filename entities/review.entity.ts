import { Column, Entity, PrimaryColumn } from "typeorm";

/** What somebody says of a dish. */
@Entity({ name: "reviews" })
export class ReviewEntity {
  @PrimaryColumn({ type: "uuid" }) review_id!: string;
  @Column({ type: "uuid" }) menu_item_id!: string;
  @Column({ type: "uuid" }) user_id!: string;
  /** The delivered order that entitles to it; null: taken over from elsewhere. */
  @Column({ type: "uuid", nullable: true }) order_id!: string | null;
  /** 1 to 5. */
  @Column({ type: "smallint" }) rating!: number;
  @Column({ type: "text" }) text!: string;
  @Column({ type: "integer" }) helpful_count!: number;
  @Column({ type: "timestamptz" }) written_at!: Date;
  @Column({ type: "timestamptz", nullable: true }) edited_at!: Date | null;
  /** Set while the desk keeps it from the shop. */
  @Column({ type: "timestamptz", nullable: true }) hidden_at!: Date | null;
  @Column({ type: "uuid", nullable: true }) hidden_by!: string | null;
  @Column({ type: "text", nullable: true }) hidden_reason!: string | null;
  /** Events in its stream. */
  @Column({ type: "integer" }) version!: number;
}
