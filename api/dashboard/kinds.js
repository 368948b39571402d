// The words of the contract that are chosen from in lists; the catalogues have a name for each.

export const KINDS = [
  "late_shipment",
  "unconfirmed_handover",
  "stalled_parcel",
  "late_delivery",
  "delivery_failed",
  "damaged_parcel",
  "presumed_lost",
  "mis_shipment",
  "stock_out",
  "warehouse_backlog",
  "carrier_backlog",
  "mis_shipment_cluster",
  "product_defect",
  "price_difference",
  "complaint_overdue",
  "feed_silent",
  "broken_promise",
];
const OVERDUE = ["late_shipment", "late_delivery", "unconfirmed_handover", "complaint_overdue", "broken_promise"];

// Whether its due time is a date that was missed, rather than the time at which it began.
export const overdue = (kind) => OVERDUE.includes(kind);

export const STATUSES = ["new", "acknowledged", "snoozed", "resolved", "dismissed", "merged"];
export const CHANNELS = ["phone", "sms", "email", "chat", "online", "app", "letter"];
export const OUTCOMES = ["reached", "agreed", "sent", "no_answer", "busy", "voicemail", "wrong_number", "declined"];
export const PARTIES = ["merchant", "warehouse", "carrier", "platform", "customer"];
export const PROMISED = ["shipped", "delivered", "refunded", "replaced", "called_back", "price_held", "coupon", "other"];
export const FORMS = ["refund", "price_difference", "coupon", "credit", "goodwill"];
