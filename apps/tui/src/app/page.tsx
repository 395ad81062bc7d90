import { Box } from 'ink';
import { type ReactNode, useState } from 'react';
import { type Action, type Area, perform } from './action.ts';
import { Bottom } from './bottom.tsx';
import { type App, useApp, useSession } from './context.ts';
import { DialogView, dialogHeight } from './dialog-view.tsx';
import { HelpView } from './help-view.tsx';
import { useKeys } from './keys.tsx';
import { PaletteView } from './palette-view.tsx';
import { useTheme } from './theme.ts';
import { SIDE_WIDTH, Side, Top, topHeight } from './top.tsx';

/** From this width on the names of the screens stand at the left. */
export const WIDE_COLUMNS = 110;
const BOTTOM_HEIGHT = 2;

/** The frame around a screen: bar, body, note, keys; and what may lie over it: dialog, help, palette. */
export function Page(props: {
  /** After the name of the screen, e.g. how many. */
  readonly title?: string | undefined;
  readonly actions?: readonly Action[] | undefined;
  /** One step back; without it the person is at the top of this screen. */
  readonly onBack?: (() => void) | undefined;
  readonly children: (area: Area) => ReactNode;
}): ReactNode {
  const app = useApp();
  const { isReader } = useTheme();
  const banner = useSession(
    (state) =>
      (state.link === 'offline' ? 1 : 0) +
      (state.notice === undefined ? 0 : 1) +
      (state.status?.panic.on === true ? 1 : 0) +
      (state.status?.gate.closed === true ? 1 : 0),
  );
  const [overlay, setOverlay] = useState<'help' | 'palette' | undefined>(undefined);
  const { columns, rows } = app.size;
  const side = columns >= WIDE_COLUMNS && !isReader ? SIDE_WIDTH : 0;
  const area: Area = {
    width: columns - side,
    height: Math.max(1, rows - topHeight(side > 0) - BOTTOM_HEIGHT - banner),
  };
  const actions = props.actions ?? [];
  useFrameKeys({ actions, onBack: props.onBack, openOverlay: setOverlay });
  const below = app.dialog === undefined ? 0 : dialogHeight(app.dialog, area);
  const body = (): ReactNode => {
    switch (overlay) {
      case 'help':
        return <HelpView area={area} actions={actions} onClose={() => setOverlay(undefined)} />;
      case 'palette':
        return <PaletteView area={area} actions={actions} onClose={() => setOverlay(undefined)} />;
      default:
        return props.children({ ...area, height: Math.max(1, area.height - below) });
    }
  };
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Top title={props.title} width={columns} hasTabs={side === 0} />
      <Box flexDirection="row" height={area.height} overflow="hidden">
        {side > 0 && <Side height={area.height} />}
        <Box flexDirection="column" width={area.width} height={area.height} overflow="hidden">
          <Box flexDirection="column" width={area.width} height={area.height - below} overflow="hidden">
            {body()}
          </Box>
          {app.dialog !== undefined && (
            <DialogView key={app.dialog.id} dialog={app.dialog} area={area} height={below} />
          )}
        </Box>
      </Box>
      <Bottom actions={actions} width={columns} isInside={props.onBack !== undefined} />
    </Box>
  );
}

/** Keys that work everywhere, and the actions of this page. */
function useFrameKeys(page: {
  readonly actions: readonly Action[];
  readonly onBack: (() => void) | undefined;
  openOverlay(overlay: 'help' | 'palette'): void;
}): void {
  const app = useApp();
  useKeys('screen', (key) => {
    const action = page.actions.find((one) => one.key === key.name);
    if (action === undefined) return false;
    perform(app, action);
    return true;
  });
  useKeys('frame', (key) => {
    switch (key.name) {
      case '?':
        page.openOverlay('help');
        return true;
      case ':':
        page.openOverlay('palette');
        return true;
      case 'escape':
        back(app, page.onBack);
        return true;
      case 'q':
        if (page.onBack === undefined) app.quit();
        else page.onBack();
        return true;
      case 'Q':
        app.quit();
        return true;
      case 'tab':
      case 'shift+tab':
        app.go(neighbour(app, key.name === 'tab' ? 1 : -1));
        return true;
      case 'ctrl+r':
      case 'ctrl+l':
        app.session.retryNow();
        app.session.touch();
        return true;
      default: {
        const screen = app.screens.find((one) => one.key === key.name);
        if (screen !== undefined) app.go(screen.id);
        return screen !== undefined;
      }
    }
  });
}

function back(app: App, onBack: (() => void) | undefined): void {
  if (onBack !== undefined) onBack();
  else if (app.screens[0] !== undefined && app.place.id !== app.screens[0].id) app.go(app.screens[0].id);
}

function neighbour(app: App, step: number): string {
  const at = app.screens.findIndex((one) => one.id === app.place.id);
  return app.screens[(at + step + app.screens.length) % app.screens.length]?.id ?? app.place.id;
}
