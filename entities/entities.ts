import { FlashSaleRow } from "./flash-sale.entity";
import { MenuDraftRow } from "./menu-draft.entity";
import { MenuHeadRow } from "./menu-head.entity";
import { MenuItemRow } from "./menu-item.entity";
import { MenuVersionRow } from "./menu-version.entity";
import { OrderItemEntity } from "./order-item.entity";
import { OrderEntity } from "./order.entity";
import { PromoCodeRow } from "./promo-code.entity";
import { SlotEntity } from "./slot.entity";

/** Every entity, for the data source. */
export const entities = [
  FlashSaleRow,
  MenuDraftRow,
  MenuHeadRow,
  MenuItemRow,
  MenuVersionRow,
  OrderItemEntity,
  OrderEntity,
  PromoCodeRow,
  SlotEntity,
];
