/** Texts of messages: Liquid, which users write. They see the message's facts and nothing else: no files, no prototypes, bounded time and memory. */
import { Liquid, type Template } from "liquidjs";
import { UserError } from "../../engine/ops/errors.ts";
import type { AlertFacts, MessageKind } from "./message.ts";

export interface TemplateContext {
  readonly kind: MessageKind;
  readonly channel: string;
  /** How many alerts there are. */
  readonly count: number;
  /** At most 50 of them. */
  readonly alerts: readonly AlertFacts[];
  /** The first, for templates of one alert. */
  readonly alert: AlertFacts | undefined;
  /** Of the worst of them. */
  readonly severity: string;
  /** What went wrong with a channel, for `trouble`. */
  readonly trouble: string | undefined;
}

/** It is no Liquid, or takes too long. */
export class TemplateRefused extends UserError {}

export const MAX_TEMPLATE = 10_000;
const MAX_SHOWN = 50;
const MAX_TEXT = 16 * 1024;

const liquid = new Liquid({
  strictFilters: true,
  ownPropertyOnly: true,
  templates: {}, // `render` and `include` find files here, where there are none
  parseLimit: MAX_TEMPLATE,
  renderLimit: 2_000, // ms by the clock; a text of 50 alerts takes a few
  memoryLimit: 1_000_000,
});

export const DEFAULT_TITLE = `{% case kind %}{% when "digest" %}{{ count }} alerts, the worst {{ severity }}{% when "retraction" %}{% if alert.tx_hash %}Retracted{% else %}Over{% endif %}: {{ alert.rule }}{% when "escalation" %}Not acknowledged: {{ alert.rule }}{% when "trouble" %}Messages do not get through{% when "test" %}Test of {{ channel }}{% else %}{{ severity | upcase }}: {{ alert.rule }}{% endcase %}`;

export const DEFAULT_TEXT = `{% if kind == "trouble" %}{{ trouble }}{% elsif kind == "test" %}This channel works.{% else %}{% for each in alerts %}{{ each.message }}
rule {{ each.rule }} ({{ each.severity }}), chain {{ each.chain_id }}{% if each.tx_hash %}, transaction {{ each.tx_hash }}{% if each.block_number %}, block {{ each.block_number }}{% else %}, pending{% endif %}{% endif %}
{% endfor %}{% if count > alerts.size %}and {{ count | minus: alerts.size }} more
{% endif %}{% if kind == "retraction" %}{% if alert.tx_hash %}Its block was replaced: this has not happened.{% else %}The chain is heard again.{% endif %}{% endif %}{% endif %}`;

/** @throws TemplateRefused that says what is wrong with it, and where */
export function parseTemplate(name: string, source: string): Template[] {
  try {
    return liquid.parse(source);
  } catch (error) {
    throw new TemplateRefused(`Cannot use the template "${name}": ${(error as Error).message}, expected Liquid`, {
      next: "See https://liquidjs.com/filters/overview.html, and try it with POST /api/v1/notifications/preview",
    });
  }
}

/** @throws TemplateRefused when it asks for a filter that is not there, or takes too long */
export async function renderTemplate(name: string, source: string, context: TemplateContext): Promise<string> {
  const template = parseTemplate(name, source);
  try {
    const scope = { ...context, alerts: context.alerts.slice(0, MAX_SHOWN) };
    const text = (await liquid.render(template, scope)) as string;
    return text.slice(0, MAX_TEXT).trim();
  } catch (error) {
    throw new TemplateRefused(`Cannot render the template "${name}": ${(error as Error).message}, expected a text`, {
      next: "Try it with POST /api/v1/notifications/preview",
    });
  }
}
