/** Type of the event that says that a person was forgotten: whatever still holds personal texts lets go of them when it comes. */
export const ERASED_EVENT = "customer.erased";
