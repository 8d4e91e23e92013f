"""The site: Sphinx over the notebooks' stored outputs and the library's docstrings.

What it does to pages before they are read is in site_pages.py.
"""
import configparser
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]
settings = configparser.ConfigParser(interpolation=None)
settings.read(DOCS.parent/"settings.ini")
settings = settings["DEFAULT"]

project, author, copyright, version = settings["title"], settings["author"], settings["copyright"], settings["version"]
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx.ext.mathjax",
              "sphinx_codeautolink",
              "sphinx_copybutton", "sphinx_design", "sphinxext.opengraph", "notfound.extension", "site_pages"]
exclude_patterns = ["**.ipynb_checkpoints"]

nb_execution_mode, nb_render_markdown_format = "off", "myst"
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
# Widgets have a picture beside them; a name in a call need not be one of ours; a type in a docstring may share its word
# with an attribute.
suppress_warnings = ["mystnb.unknown_mime_type", "codeautolink.match_name", "ref.python"]

autodoc_default_options = {"members": True, "undoc-members": True, "no-value": True}
autodoc_typehints, autodoc_member_order, autodoc_preserve_defaults = "signature", "bysource", True
napoleon_google_docstring, napoleon_use_rtype = False, False
python_use_unqualified_type_names = True
add_module_names, default_role = False, "py:obj"
codeautolink_autodoc_inject = True

# Nothing comes from another host: site_pages copies these from node_modules into _static.
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}
nb_ipywidgets_js = {"require.js": {}, "embed-amd.js": {"data-jupyter-widgets-cdn": ""}}

html_theme, html_title = "sphinx_book_theme", "image inpainting from first principles"
html_baseurl = settings["doc_host"] + settings["doc_baseurl"] + "/"
html_static_path, html_css_files, templates_path = ["_static"], ["site.css"], ["_templates"]
html_favicon, html_show_sphinx, html_use_index, html_domain_indices = "_static/logo.svg", False, False, False
html_sidebars = {"**": ["navbar-logo.html", "search-button-field.html", "demo-link.html", "sbt-sidebar-nav.html"]}
html_theme_options = {
    "logo": {"text": settings["title"], "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg",
             "alt_text": ""},
    "repository_url": settings["git_url"], "repository_branch": settings["branch"], "path_to_docs": "nbs",
    "navbar_start": [], "navbar_center": [], "navbar_end": [], "navbar_persistent": [],
    "use_repository_button": True, "use_issues_button": True, "use_download_button": True, "show_toc_level": 2,
                      "max_navbar_depth": 1,
    "launch_buttons": {"colab_url": "https://colab.research.google.com", "notebook_interface": "classic"}}

html_context = {"default_mode": "auto"}

ogp_site_url, ogp_image = html_baseurl, "_static/fills.jpg"
ogp_image_alt = "Holes in photographs, and what each method puts in them"
ogp_social_cards = {"enable": False}
notfound_urls_prefix = settings["doc_baseurl"] + "/"
notfound_context = {"title": "No such page",
                    "body": "<h1>No such page</h1><p>It may have moved: the search knows every lesson, "
                            "and the course starts on the home page.</p>"}
