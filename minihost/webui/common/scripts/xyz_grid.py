"""The plot as a selectable script; extensions find this module by its file's name, and what they need in it."""

from modules import xyz_axes, xyz_plot
from modules.xyz_axes import AxisOption as AxisOption

axis_options = xyz_axes.axes()


class Script(xyz_plot.Plot):
    axis_options = axis_options
