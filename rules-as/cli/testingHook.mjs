/** Lets a rule's tests import "@weir/rules/testing" wherever they lie. Loaded into the processes that run them. */
import { register } from "node:module";

const testing = new URL("./testing.ts", import.meta.url).href;
const hook = `export const resolve = (specifier, context, next) =>
  specifier === "@weir/rules/testing" ? { url: ${JSON.stringify(testing)}, shortCircuit: true } : next(specifier, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
