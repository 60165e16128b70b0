import type { PersonalData } from "./mixins/event-log/personal-data";
import { orderPersonalData } from "./services/order/order.events";

/** What of all events is personal: given to the log, which seals it. What is not listed here is no text about a person. */
export const PERSONAL_DATA: readonly PersonalData[] = [...orderPersonalData];
