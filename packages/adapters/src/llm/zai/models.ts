/** What routing and the ledger need to know of a model. Prices in millionths of a US dollar per million tokens. */
export interface ZaiModel {
  readonly model: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly inputUsdMicrosPerMTok: number;
  readonly outputUsdMicrosPerMTok: number;
}

const USD = 1_000_000;
const MAX_OUTPUT = 131_072;

function zaiModel(model: string, contextTokens: number, inputUsd: number, outputUsd: number): ZaiModel {
  return {
    model,
    contextTokens,
    maxOutputTokens: MAX_OUTPUT,
    inputUsdMicrosPerMTok: Math.round(inputUsd * USD),
    outputUsdMicrosPerMTok: Math.round(outputUsd * USD),
  };
}

/**
 * Models of z.ai with list prices in US dollars per million tokens (input, output).
 * Source: the z.ai catalogue inside the npm package @earendil-works/pi-ai 0.87.1, read in November 2026. Prices change: they are used
 * for the ledger's estimate, the invoice is z.ai's.
 */
export const ZAI_MODELS: readonly ZaiModel[] = [
  zaiModel('glm-5.3', 1_000_000, 1.4, 4.4),
  zaiModel('glm-5.3-flash', 1_000_000, 0.15, 0.5),
  zaiModel('glm-5.2', 1_000_000, 1.4, 4.4),
  zaiModel('glm-5-turbo', 200_000, 1.2, 4),
  zaiModel('glm-4.7', 204_800, 0.6, 2.2),
];

/** Used where the configuration names no model. */
export const ZAI_DEFAULTS = { model: 'glm-5.3', small: 'glm-5.3-flash', fallback: 'glm-4.7' } as const;
