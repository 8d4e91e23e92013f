// The site's light or dark, before anything is drawn: what was chosen there, else what the system says.
{
  const stored = key => { try { return localStorage.getItem(key); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = stored("theme"), chosen = stored("mode") !== "auto" && ["light", "dark"].includes(theme);
    document.documentElement.dataset.theme = chosen ? theme : system.matches ? "dark" : "light";
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
}
